/** A run that is interrupted resumes whatever is paused, says which signal it was, and leaves nothing behind. */
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { resultOf, reportIn, start, type RunningProgram } from '../support/cli/program.ts'
import { openService } from '../support/cli/service.ts'

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGQUIT', 131],
] as const)(
  '%s in the middle of a hold is %i: the tenant serves again, and the document is whole',
  async (signal, expected) => {
    let program: RunningProgram | null = null
    await using service = await openService({ onClose: () => void program?.kill(signal) })
    program = start(['sweep', '--json', '--config', service.config])
    const ran = await resultOf(program)
    const report = reportIn(ran)
    expect(ran.code, ran.stderr).toBe(expected)
    expect(ran.stderr).toContain(`${signal}: resuming what is paused`)
    expect(report.summary.notCovered).toBeGreaterThan(0)
    expect(report.run.stopped).toContain('INTERRUPTED')
    for (const id of ['acme', 'bolt']) expect(service.gate.stateOf(id)).toBe('active')
    expect(service.actions.filter((action) => action.startsWith('open')).length).toBe(
      service.actions.filter((action) => action.startsWith('close')).length,
    )
    expect(readdirSync(service.snapshots)).toEqual([])
  },
)

test('a second signal changes nothing: the tenant is resumed', async () => {
  let program: RunningProgram | null = null
  await using service = await openService({
    onClose: () => {
      for (let i = 0; i < 3; i++) program?.kill('SIGINT')
    },
  })
  program = start(['check', '--tenant', 'acme', '--config', service.config])
  const { code } = await resultOf(program)
  expect([code, service.gate.stateOf('acme')]).toEqual([130, 'active'])
})
