/** I1.8: a file that we found sound and find damaged now stops the run; nothing else does. */

import { describe, expect, test } from 'vitest'
import type { Incident } from '../../../src/ledger/incident.ts'
import type { LedgerLine } from '../../../src/ledger/ledger.ts'
import type { ChangeId, IncidentId, RunId } from '../../../src/model/brand.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { Event } from '../../../src/model/event.ts'
import type { Result } from '../../../src/model/result/report.ts'
import { HarmWatch } from '../../../src/runs/harm/harm-watch.ts'
import { damaged, sound } from '../../support/report.ts'

const run = 'this run' as RunId
const acme = tenantId('acme')
const path = '/srv/notes/acme.db'
const incident: Incident = { id: 'i' as IncidentId, since: 0, runs: new Set(['an earlier run']) }

const checked = (result: Result): Event => ({ kind: 'checked', tenant: acme, result })
const undone = (how: 'undone' | 'rolled-back' | 'applied'): Event => ({
  kind: 'change-ended',
  tenant: acme,
  path,
  change: 'c' as ChangeId,
  how,
})

/** @param events of the tenant, newest first, with the run of each */
function watch(
  events: readonly (readonly [run: string, event: Event])[],
  within: Incident | null = incident,
  onNotice: (notice: string) => void = () => undefined,
): HarmWatch {
  const lines = events.map(([of, event], at): LedgerLine => ({ sequence: 99 - at, at: 1_000 - at, run: of, event }))
  return new HarmWatch({ ledger: { history: () => Promise.resolve(lines) }, run, incident: within, onNotice })
}

const wound = damaged('acme', { depth: 'full' })

test('a violated rule of the application is no harm', async () => {
  const rule: Result = { ...wound, damage: 'none', remedy: { ...wound.remedy, do: 'ask' } }
  expect(await watch([[run, checked(sound('acme'))]]).consider(rule)).toBeNull()
})

describe('I1.8: harm is suspected', () => {
  test.each([
    ['in an earlier run of the incident', [['an earlier run', checked(sound('acme'))]]],
    ['earlier in this run', [[run, checked(sound('acme'))]]],
    ['by a full check, and a quick one finds it damaged', [[run, checked(sound('acme'))]], 'quick'],
    [
      'after a change that was applied',
      [
        [run, undone('applied')],
        [run, checked(sound('acme'))],
      ],
    ],
    [
      'before checks that settled nothing',
      [
        [run, checked({ ...sound('acme'), verdict: 'inconclusive' })],
        [run, checked({ ...sound('acme'), depth: 'quick' })],
        [run, checked(sound('acme'))],
      ],
    ],
  ] as const)('if the file was found sound %s', async (_, events, depth: Result['depth'] = 'full') => {
    const failure = await watch(events).consider({ ...wound, depth })
    expect(failure).toMatchObject({ code: 'HARM_SUSPECTED' })
    expect(failure?.message).toMatch(/acme: .*found sound .*damaged now/)
  })
})

describe('I1.8: harm is not suspected', () => {
  test.each([
    ['a file that was never checked', []],
    ['a file that was found sound in another run', [['last night', checked(sound('acme'))]]],
    ['a file that only a quick check found sound', [[run, checked({ ...sound('acme'), depth: 'quick' })]]],
    ['another file of the tenant', [[run, checked({ ...sound('acme'), path: '/srv/notes/other.db' })]]],
    [
      'damage that is known already',
      [
        [run, checked(wound)],
        [run, checked(sound('acme'))],
      ],
    ],
    [
      'an original that a person put back',
      [
        [run, undone('undone')],
        [run, checked(sound('acme'))],
      ],
    ],
    [
      'an original that holdfast put back',
      [
        [run, undone('rolled-back')],
        [run, checked(sound('acme'))],
      ],
    ],
  ] as const)('of %s', async (_, events) => {
    expect(await watch(events).consider(wound)).toBeNull()
  })

  test('without an incident, of an earlier run', async () => {
    expect(await watch([['an earlier run', checked(sound('acme'))]], null).consider(wound)).toBeNull()
  })

  test('of a file that is sound, and of a bare file', async () => {
    const seen = watch([[run, checked(sound('acme'))]])
    expect(await seen.consider(sound('acme'))).toBeNull()
    expect(await seen.consider({ ...wound, tenant: null })).toBeNull()
  })
})

describe('I1.8: tenants that were found sound are looked at again', () => {
  const notices: string[] = []
  async function after(soundOnes: number, damagedOnes: number): Promise<HarmWatch> {
    notices.length = 0
    const seen = watch([], null, (notice) => notices.push(notice))
    for (let at = 0; at < soundOnes; at++) await seen.consider(sound(`s${at}`))
    for (let at = 0; at < damagedOnes; at++) await seen.consider(damaged(`d${at}`))
    return seen
  }

  test('not for two damaged tenants', async () => {
    expect((await after(40, 2)).takeDue()).toEqual([])
  })

  test('sixteen for the third, none for the fourth, and others for the sixth', async () => {
    const seen = await after(40, 3)
    const named = (): readonly (string | null)[] => seen.takeDue().map(({ tenant }) => tenant)
    expect(named()).toEqual(Array.from({ length: 16 }, (_, at) => `s${at}`))
    expect(named()).toEqual([])
    await seen.consider(damaged('d3'))
    expect(named()).toEqual([])
    for (const id of ['d4', 'd5']) await seen.consider(damaged(id))
    expect(named()).toEqual(Array.from({ length: 16 }, (_, at) => `s${at + 16}`))
  })

  test('the report says how many are not: also those beyond the ones that are remembered', async () => {
    ;(await after(16, 3)).takeDue()
    expect(notices).toEqual([])
    ;(await after(200, 3)).takeDue()
    expect(notices).toEqual([
      '3 tenants are damaged, and something may be doing harm during this run: it checks 16 tenants again that it ' +
        'found sound, and not the other 184',
    ])
  })

  test('not a tenant that is damaged by now', async () => {
    const seen = await after(3, 2)
    await seen.consider(damaged('s1'))
    expect(seen.takeDue().map(({ tenant }) => tenant)).toEqual(['s0', 's2'])
  })
})
