/** What a full sweep or a suspicion of harm said stands, however many short runs came after it. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { standingHarm } from '../../../src/ledger/incident.ts'
import { lineRow } from '../../../src/ledger/lines/rows.ts'
import { readLedger } from '../../../src/ledger/open-ledger.ts'
import { Store } from '../../../src/ledger/process/store.ts'
import type { Event } from '../../../src/model/event.ts'
import { lastFullSweepAt } from '../../../src/report/status/absences.ts'
import { scratch } from '../../support/ledger/sample-events.ts'

const ended = (more: Partial<Event & { readonly kind: 'run-finished' }> = {}): Event => ({
  kind: 'run-finished',
  exitCode: 0,
  selected: 1,
  covered: 1,
  whole: false,
  ...more,
})
const shortRuns = 1_100

test('a thousand checks of single tenants hide neither the last full sweep nor suspected harm', async () => {
  using folder = scratch()
  const store = new Store(join(folder.path, 'ledger.db'), 'write', null, (notice) => {
    throw new Error(notice)
  })
  const linesOf = (run: string, at: number, end: Event) => [
    lineRow(at, run, 1, { kind: 'run-started', mode: 'check', version: '1', argv: [] }),
    lineRow(at + 1, run, 2, end),
  ]
  store.append([
    ...linesOf('FULL', 10, ended({ whole: true })),
    ...linesOf('HALF', 20, ended({ covered: 0 })),
    ...linesOf('HARM', 30, ended({ exitCode: 2, harm: 'HARM_SUSPECTED' })),
  ])
  store.append(Array.from({ length: shortRuns }, (_, at) => linesOf(`SHORT-${at}`, 100 + at, ended())).flat())
  store.close()
  await using reading = await readLedger(folder.path)
  const runs = await reading.lastRuns(1_000)
  expect(runs.slice(-3).map(({ run }) => run)).toEqual([`SHORT-${shortRuns - 1_000}`, 'HARM', 'FULL'])
  expect(standingHarm(runs)).toEqual({ code: 'HARM_SUSPECTED', run: 'HARM', at: 31 })
  expect(lastFullSweepAt({ runs, fleet: null })).toBe(11)
  expect(await reading.lastRuns(999)).toHaveLength(999)
})
