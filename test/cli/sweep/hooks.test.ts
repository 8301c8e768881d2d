/**
 * The whole program and a service without an admin API (src/service/hooks/README.md): commands pause and resume its
 * tenants, and no lease ends a pause.
 */
import { closeSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openHookedService } from '../../support/cli/hooked-service.ts'
import { longPattern } from '../../support/cli/long-pattern.ts'
import {
  resultOf,
  shortVerdict,
  holdfast,
  reportIn,
  reportOf,
  start,
  type RunningProgram,
} from '../../support/cli/program.ts'
import { descendantsOf, eventually } from '../../support/processes.ts'

const three = { acme: { wal: true }, bolt: { wal: false }, crate: { wal: true } }

test('a sweep by commands, while the service writes: each tenant is paused once and loses nothing', async () => {
  await using service = await openHookedService({ tenants: three })
  const report = await reportOf(['sweep', '--config', service.config])
  expect(
    Object.fromEntries(
      report.results.map((result) => [
        result.tenant,
        [
          shortVerdict(result),
          result.evidence.level,
          result.evidence.quiesce?.via,
          result.evidence.quiesce?.continuous,
        ],
      ]),
    ),
  ).toEqual(Object.fromEntries(Object.keys(three).map((id) => [id, ['sound', 'sealed', 'hooks', null]])))
  expect(report.summary.exitCode).toBe(0)
  expect(service.actions.toSorted()).toEqual(
    ['pause', 'resume'].flatMap((command) => Object.keys(three).map((id) => `${command} ${id}`)),
  )
  for (const id of Object.keys(three))
    expect(service.actions.indexOf(`pause ${id}`)).toBeLessThan(service.actions.indexOf(`resume ${id}`))
  expect(service.paused()).toEqual([])
  expect(readdirSync(service.snapshots)).toEqual([])
  expect(await service.stopAndCount()).toEqual({ acme: 0, bolt: 0, crate: 0 })
})

test('the doctor pauses a tenant by commands once, resumes it, and warns of what commands cannot promise', async () => {
  await using service = await openHookedService({ tenants: three })
  const { code, stdout } = await holdfast(['doctor', '--tenant', 'acme', '--config', service.config])
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(
      longPattern(
        /warning +service: capabilities: hooks[^]*ok +service: quiesce: [^]*ok +service: /,
        /files while quiesced: [^]*ok +service: resume: [^]*\nNothing is unfit. 1 warning.\n$/,
      ),
    ),
  ])
  expect(stdout).not.toMatch(/not tried|holdfast doctor/)
  expect([service.actions, service.paused()]).toEqual([['pause acme', 'resume acme'], []])
})

test(
  'a quiesce command that leaves a file open: the doctor names the process that has ' +
    'it, and so does a sweep, which blames no other process',
  async () => {
    await using service = await openHookedService({ tenants: { acme: { wal: true } } })
    const left = openSync(join(service.data, 'acme.db'), 'r')
    const doctor = await holdfast(['doctor', '--tenant', 'acme', '--config', service.config])
    const sweep = reportIn(await holdfast(['sweep', '--json', '--config', service.config]))
    closeSync(left)
    expect([doctor.code, doctor.stdout]).toEqual([
      1,
      expect.stringMatching(
        new RegExp(
          'UNFIT +service: files while quiesced: .*acme.db is not closed: process ' +
            `${process.pid} \\([^]*its quiesce left handles open[^]* ok +service: resume`,
        ),
      ),
    ])
    expect(doctor.stdout).toMatch(/\n1 of \d+ steps is unfit\. 1 warning\.\n$/)
    expect(sweep.results.map(shortVerdict)).toEqual(['inconclusive IN_USE'])
    expect(sweep.results[0]?.failure?.hint).toMatch(
      /^if it is the service, its quiesce left handles open: .* If it is another program, end it\. Then try again$/,
    )
    expect(service.paused()).toEqual([])
  },
)

/** With its guardian, which would have resumed what stands still. */
function killWithGuardian(run: RunningProgram | null): void {
  if (run?.pid === undefined) return
  for (const { pid, command } of descendantsOf(run.pid))
    if (command.includes('guardian-child')) process.kill(pid, 'SIGKILL')
  run.kill('SIGKILL')
}

test('killed with its guardian in a pause: only our command ends it, and `resume --all` runs it', async () => {
  let killed: RunningProgram | null = null
  await using service = await openHookedService({
    tenants: three,
    onPause: (id) => {
      if (id === 'bolt') killWithGuardian(killed)
    },
  })
  killed = start(['sweep', '--config', service.config])
  expect((await resultOf(killed)).code).toBeNull()
  killed = null
  expect(service.paused()).toEqual(['bolt'])
  const resumed = await holdfast(['resume', '--all', '--config', service.config])
  expect([resumed.code, resumed.stderr]).toEqual([0, 'an earlier run left a hold on bolt open; it serves again\n'])
  expect(service.paused()).toEqual([])
  expect(service.actions.at(-1)).toBe('resume bolt')

  const after = await reportOf(['sweep', '--config', service.config])
  expect(after.results.map(shortVerdict)).toEqual(['sound', 'sound', 'sound'])
  expect(readdirSync(service.snapshots)).toEqual([])
  expect(await service.stopAndCount()).toEqual({ acme: 0, bolt: 0, crate: 0 })
})

test('the next run resumes it too, before it asks for anything else', async () => {
  let killed: RunningProgram | null = null
  await using service = await openHookedService({
    tenants: { acme: { wal: true } },
    onPause: () => killWithGuardian(killed),
  })
  killed = start(['sweep', '--config', service.config])
  await resultOf(killed)
  killed = null
  expect(service.paused()).toEqual(['acme'])
  const report = await reportOf(['check', '--tenant', 'acme', '--config', service.config])
  expect(report.results.map(shortVerdict)).toEqual(['sound'])
  expect(service.actions).toEqual(['pause acme', 'resume acme', 'pause acme', 'resume acme'])
  expect(await service.stopAndCount()).toEqual({ acme: 0 })
})

test('killed alone: its guardian has the tenant resumed, and the service loses nothing', async () => {
  let killed: RunningProgram | null = null
  await using service = await openHookedService({
    tenants: three,
    onPause: (id) => {
      if (id === 'bolt') killed?.kill('SIGKILL')
    },
  })
  killed = start(['sweep', '--config', service.config])
  expect((await resultOf(killed)).code).toBeNull()
  await eventually('it serves again', () => service.paused().length === 0, 5_000)
  expect(service.actions.at(-1)).toBe('resume bolt')
  expect(await service.stopAndCount()).toEqual({ acme: 0, bolt: 0, crate: 0 })
})

test(
  'a command that cannot resume is the gravest failure: exit 4, no ' +
    'other tenant is paused, and the report says what to do',
  async () => {
    let stuck = true
    await using service = await openHookedService({
      tenants: three,
      onResume: () => {
        if (stuck) throw new Error('the pool is gone')
      },
    })
    const ran = await holdfast(['sweep', '--json', '--config', service.config])
    const report = reportIn(ran)
    expect([ran.code, report.results.map(shortVerdict)]).toEqual([4, ['inconclusive RESUME_FAILED']])
    expect(report.results[0]?.failure).toMatchObject({
      tenantState: 'maybe-paused',
      message: expect.stringContaining('the pool is gone') as string,
    })
    expect(report.summary.notCovered).toBe(2)
    expect(report.summary.notReached?.map(({ tenant }) => tenant)).toEqual(
      Object.keys(three).filter((id) => id !== report.results[0]?.tenant),
    )
    expect(service.paused()).toEqual([report.results[0]?.tenant])
    expect(new Set(service.actions).size).toBe(2)
    stuck = false
    expect((await holdfast(['resume', '--all', '--config', service.config])).code).toBe(0)
    expect(service.paused()).toEqual([])
  },
)
