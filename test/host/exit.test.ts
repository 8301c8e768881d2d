import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeFolder } from '../support/cli/folder.ts'

const hasStrace = spawnSync('strace', ['-V']).status === 0

test.skipIf(!hasStrace)(`a process ends although its stderr cannot be synced${hasStrace ? '' : ' (no strace)'}`, () => {
  using folder = makeFolder()
  const libc = new URL('../../src/host/libc.ts', import.meta.url).href
  const code = `const { fileSystemTypeOf } = await import(${JSON.stringify(libc)})
    fileSystemTypeOf(0)
    console.error('said')
    process.exitCode = 3`
  for (const error of ['EDQUOT', 'EIO']) {
    const file = folder.in(error)
    const stderr = openSync(file, 'w')
    const inject = ['-f', '-o', folder.in('trace'), '-P', file, '-e', `inject=fsync:error=${error}`]
    const node = [process.execPath, '--input-type=module', '-e', code]
    const { status, signal } = spawnSync('strace', [...inject, ...node], {
      stdio: ['ignore', 'ignore', stderr],
      timeout: 240_000,
      killSignal: 'SIGKILL',
    })
    closeSync(stderr)
    expect([status, signal, readFileSync(file, 'utf8')]).toEqual([3, null, 'said\n'])
  }
})
