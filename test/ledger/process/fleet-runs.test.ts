/** Runs that did a part of a run of the fleet: their results are found again by them. */

import { expect, test } from 'vitest'
import { readLedger } from '../../../src/ledger/open-ledger.ts'
import type { Event } from '../../../src/model/event.ts'
import { scratch } from '../../support/ledger/sample-events.ts'
import { finished, mail, notes, started, write } from '../../support/ledger/services.ts'

const part = { run: '01KBA0000000000000000000AA', week: '2026-11-23', chunk: 3, attempt: 1 }
const ofFleet = (attempt: number): Event => ({
  kind: 'run-started',
  mode: 'check',
  version: '1',
  argv: ['agent'],
  fleet: { ...part, attempt },
})

test('they are listed with their part, the oldest first; runs of a person and of other services are not', async () => {
  using folder = scratch()
  await write(folder.path, notes, started, finished)
  await write(folder.path, notes, ofFleet(1), finished)
  await write(folder.path, mail, ofFleet(9))
  await write(folder.path, notes, ofFleet(3))
  await using reading = await readLedger(folder.path, notes)
  const found = await reading.fleetRuns()
  expect(found).toEqual([
    { ...part, attempt: 1, local: expect.stringMatching(/^[0-9A-Z]{26}$/) as string },
    { ...part, attempt: 3, local: expect.any(String) as string },
  ])
  const lines = await reading.runLines(found[0]?.local ?? '', 10)
  expect(lines.lines.map(({ event }) => event.kind)).toEqual(['run-finished', 'run-started'])
})

test('a part that no holdfast wrote is passed over with a notice', async () => {
  using folder = scratch()
  await write(folder.path, notes, ofFleet(0))
  await using reading = await readLedger(folder.path, notes)
  expect(await reading.fleetRuns()).toEqual([])
  expect(reading.notice).toContain('cannot be read')
})

test('without a ledger there are none', async () => {
  using folder = scratch()
  await using reading = await readLedger(folder.path, notes)
  expect(await reading.fleetRuns()).toEqual([])
})
