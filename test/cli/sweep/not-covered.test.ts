/**
 * What a run selected and did not reach is named, whatever ended it: in the text, in the document, and in the ledger.
 * By what stops the line: hooks.test.ts.
 */
import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadSettings } from '../../../src/config/load.ts'
import { wayOf } from '../../../src/config/service-way.ts'
import { readLedger } from '../../../src/ledger/open-ledger.ts'
import type { Event } from '../../../src/model/event.ts'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { openHookedService } from '../../support/cli/hooked-service.ts'
import { resultOf, holdfast, reportIn, start, type RunningProgram } from '../../support/cli/program.ts'

const three = { acme: { wal: true }, bolt: { wal: false }, crate: { wal: true } }

async function lastLineOf(config: string): Promise<Event | undefined> {
  const settings = await loadSettings(config)
  await using ledger = await readLedger(settings.ledger.dir, wayOf(settings))
  return (await ledger.history(null, 1))[0]?.event
}

test.concurrent('by a signal', async () => {
  let sweeping: RunningProgram | null = null
  await using service = await openHookedService({ tenants: three, onPause: () => sweeping?.kill('SIGTERM') })
  sweeping = start(['sweep', '--config', service.config])
  const { code, stdout } = await resultOf(sweeping)
  expect([code, stdout]).toEqual([
    143,
    expect.stringMatching(/^NOT COVERED, because the run ended first: .*bolt, crate$/m),
  ])
  expect([service.paused(), await lastLineOf(service.config)]).toMatchObject([
    [],
    { kind: 'run-finished', exitCode: 143, selected: 3 },
  ])
  expect(
    (
      (await lastLineOf(service.config)) as { readonly notCovered?: readonly { readonly tenant: string }[] }
    ).notCovered?.map(({ tenant }) => tenant),
  ).toEqual(expect.arrayContaining(['bolt', 'crate']))
})

test.concurrent('by a failure before the first of them', async () => {
  using folder = makeFolder()
  const files = ['a.db', 'b.db'].map((name) => makeDatabase(folder.in(name)))
  mkdirSync(folder.in('open'), { mode: 0o755 })
  const args = ['check', ...files, '--snapshots', folder.in('open')]
  const text = await holdfast(args)
  expect([text.code, text.stdout, text.stderr]).toEqual([
    1,
    expect.stringMatching(/NOT COVERED[^]*a\.db[^]*b\.db[^]*2 NOT COVERED/),
    expect.stringMatching(/SNAPSHOT_UNSAFE/),
  ])
  const report = reportIn(await holdfast([...args, '--json']))
  expect([report.failure?.code, report.summary.notReached]).toEqual([
    'SNAPSHOT_UNSAFE',
    files.map((path) => ({ tenant: null, path })),
  ])
})

test.concurrent('a run that reached all of them names none', async () => {
  await using service = await openHookedService({ tenants: three })
  const ran = await holdfast(['sweep', '--json', '--config', service.config])
  expect(reportIn(ran).summary).not.toHaveProperty('notReached')
  expect(await lastLineOf(service.config)).toMatchObject({ covered: 3, notCovered: [] })
})

test.concurrent('nor does a check of a pulled copy, whose manifest names the tenant', async () => {
  await using service = await openHookedService({ tenants: { acme: { wal: true } } })
  using folder = makeFolder()
  expect((await holdfast(['pull', 'acme', folder.in('pulled'), '--config', service.config])).code).toBe(0)
  const { results, summary } = reportIn(await holdfast(['check', '--json', '--snapshot', folder.in('pulled')]))
  expect([results.map(({ tenant }) => tenant), summary.selected]).toEqual([['acme'], 1])
  expect(summary).not.toHaveProperty('notReached')
})
