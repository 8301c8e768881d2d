/** No descriptor is free, for a moment or for good: each program reports this as a failure of the machine, in words. */
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { repository } from '../support/processes.ts'

function shortOfFiles(...given: readonly string[]): unknown {
  const limited = [
    '-c',
    'ulimit -n 120; exec "$@"',
    'sh',
    process.execPath,
    `${repository}test/support/programs/short-of-files.ts`,
    ...given,
  ]
  const { stdout, stderr } = spawnSync('sh', limited, { encoding: 'utf8', timeout: 240_000 })
  expect(stdout, stderr).not.toBe('')
  return JSON.parse(stdout)
}

const hint = expect.stringContaining('ulimit -n') as string
const words = expect.stringContaining('too many open files (EMFILE)') as string

describe('no descriptor is free', () => {
  it.each([
    ['guardian', 'GUARDIAN_LOST'],
    ['probe', 'READ_FAILED'],
    ['ledger', 'LEDGER_UNUSABLE'],
    ['reader', 'READ_FAILED'],
    ['hook', 'ADMIN_UNREACHABLE'],
  ])('for the %s', (what, code) => {
    expect(shortOfFiles(what)).toMatchObject({ code, message: words, hint, concerns: 'machine' })
  })

  it.each(['guardian', 'hook'])('for a moment: the %s is started once a descriptor is free', (what) => {
    expect(shortOfFiles(what, 'briefly')).toEqual({ code: 'started' })
  })
})
