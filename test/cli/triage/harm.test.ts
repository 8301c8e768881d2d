/** I1.8: a rogue "old checker" corrupts files while holdfast works. holdfast suspects itself, and stops. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Report } from '../../../src/model/result/report.ts'
import { damageIndex, makeDatabase } from '../../support/cli/folder.ts'
import { holdfast, reportIn, reportOf } from '../../support/cli/program.ts'
import { openService, type TestService, type TestServiceOptions } from '../../support/cli/service.ts'

const ids = Array.from({ length: 24 }, (_, at) => `t${String(at).padStart(2, '0')}`)

function serviceOf(count: number, more: Omit<TestServiceOptions, 'tenants'> = {}): Promise<TestService> {
  return openService({
    ...more,
    tenants: (data) => Object.fromEntries(ids.slice(0, count).map((id) => [id, fileOf(data, id)])),
  })
}

const fileOf = (data: string, id: string): string => join(data, `${id}.db`)

/** Another process writes zeroes over a page of the table, whether or not the service has the file open. */
function corrupt(path: string): void {
  const { status } = spawnSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=4096', 'seek=1', 'count=1', 'conv=notrunc'])
  expect(status).toBe(0)
}

const harmed = ({ results }: Report): readonly (string | null)[] =>
  results.filter(({ failure }) => failure?.code === 'HARM_SUSPECTED').map(({ tenant }) => tenant)

describe('I1.8: harm during a sweep', () => {
  test('three damaged tenants make the sweep look again at those that it found sound: it stops', async () => {
    let data = ''
    await using service = await serviceOf(24, {
      // The old checker reaches these while the sweep is at the seventh tenant.
      onClose: (id) => {
        if (id === 't06') for (const other of ['t01', 't02', 't08', 't09', 't10']) corrupt(fileOf(data, other))
      },
    })
    data = service.data
    const ran = await holdfast(['sweep', '--json', '--config', service.config])
    const report = reportIn(ran)
    expect(ran.code).toBe(2)
    expect(report.run.stopped).toMatch(/^HARM_SUSPECTED: t0[12]: .*found sound in this run .* damaged now/)
    expect(harmed(report)).toHaveLength(1)
    expect(['t01', 't02']).toContain(harmed(report)[0])
    expect(report.summary.damaged).toBeGreaterThanOrEqual(4)
    // On a slow machine all tenants may have been held before the checks have shown the harm.
    expect(report.summary.selected).toBe(report.results.length + report.summary.notCovered)
    // Each file has one result, also the one that was sound at first.
    expect(new Set(report.results.map(({ path }) => path)).size).toBe(report.results.length)
    // The same damage is known now: it does not stop the next run again, and is said as damage.
    const text = await holdfast(['sweep', '--only', 't01', 't02', '--config', service.config])
    expect([text.code, text.stdout]).toEqual([2, expect.stringMatching(/DAMAGED/)])
  })

  test('a fleet with three damaged tenants and no harm is swept to its end', async () => {
    await using service = await serviceOf(12)
    for (const id of ['t02', 't05', 't07']) corrupt(fileOf(service.data, id))
    const report = await reportOf(['sweep', '--config', service.config])
    expect(report.run.stopped).toBeUndefined()
    expect(report.summary).toMatchObject({ selected: 12, sound: 9, damaged: 3, notCovered: 0, exitCode: 2 })
  })
})

describe('I1.8: harm between two runs of one incident', () => {
  test('a triage finds all sound, and a sweep finds one damaged: it stops', async () => {
    await using service = await serviceOf(6)
    const before = await reportOf(['triage', '--config', service.config])
    expect(before.summary).toMatchObject({ sound: 6, exitCode: 0 })
    corrupt(fileOf(service.data, 't00'))
    const { code, stdout } = await holdfast(['sweep', '--config', service.config])
    expect(code).toBe(2)
    expect(stdout).toMatch(/^HARM SUSPECTED: /)
    expect(stdout).toMatch(/Run nothing more against this service/)
    expect(stdout).toMatch(/STOPPED: HARM_SUSPECTED: t00/)
    expect(stdout).toContain(`in run ${before.run.id} of this incident`)
    // A check that finds the damage again says nothing of its cause.
    expect((await holdfast(['check', '--tenant', 't00', '--config', service.config])).code).toBe(2)
    // The hook of monit begins nothing now: a person must decide.
    const env = { MONIT_SERVICE: 'notes', MONIT_EVENT: 'Status failed', MONIT_DESCRIPTION: 'status 2' }
    const hook = await holdfast(['triage', '--from-monit', '--config', service.config], { env })
    expect([hook.code, hook.stdout]).toEqual([2, ''])
    expect(hook.stderr).toMatch(
      /HARM_SUSPECTED: an earlier run was stopped because it suspected harm \((?:t00|HARM_SUSPECTED in run \w+)\)/,
    )
    const { stdout: status } = await holdfast(['status', '--config', service.config])
    expect(status).toMatch(/CRITICAL[^]*HARM SUSPECTED[^]*\nnext\n {4}holdfast explain HARM_SUSPECTED\n[^ ]/)
  })

  test('check --tenant says it too; without an incident the same damage is plain damage', async () => {
    await using service = await serviceOf(2)
    await reportOf(['triage', '--only', 't00', '--config', service.config])
    for (const id of ['t00', 't01']) corrupt(fileOf(service.data, id))
    const report = await reportOf(['check', '--tenant', 't00', '--config', service.config])
    expect(harmed(report)).toEqual(['t00'])
    const other = await reportOf(['check', '--tenant', 't01', '--config', service.config])
    expect([harmed(other), other.summary.exitCode]).toEqual([[], 2])
  })

  test('a tenant that was repaired, and so checked by holdfast, counts as found sound', async () => {
    await using service = await openService({
      tenants: (data) => ({ acme: makeDatabase(join(data, 'acme.db'), { wal: true }) }),
    })
    service.close()
    damageIndex(join(service.data, 'acme.db'))
    expect((await holdfast(['triage', '--config', service.config])).code).toBe(2)
    const repaired = await holdfast(['repair', '--tenant', 'acme', '--apply', '--config', service.config])
    expect([repaired.code, repaired.stderr]).toEqual([0, ''])
    corrupt(join(service.data, 'acme.db'))
    expect(harmed(await reportOf(['check', '--tenant', 'acme', '--config', service.config]))).toEqual(['acme'])
  })

  test('a full sweep that finds all sound ends the incident', async () => {
    await using service = await serviceOf(2)
    const { run } = await reportOf(['triage', '--config', service.config])
    const status = async (): Promise<unknown> =>
      (JSON.parse((await holdfast(['status', '--json', '--config', service.config])).stdout) as { incident: unknown })
        .incident
    expect(await status()).toMatchObject({ id: run.incident })
    expect((await reportOf(['sweep', '--config', service.config])).run.incident).toBe(run.incident)
    expect(await status()).toBeNull()
    expect((await reportOf(['sweep', '--config', service.config])).run.incident).toBeNull()
    expect((await reportOf(['sweep', '--incident', run.id, '--config', service.config])).run.incident).toBe(run.id)
    expect((await holdfast(['sweep', '--incident', 'nothing', '--config', service.config])).code).toBe(64)
  })
})
