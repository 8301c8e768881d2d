/** One service that is reached in several ways: by its admin API in one configuration, by hooks in another. */

import { describe, expect, test } from 'vitest'
import { readLedger } from '../../src/ledger/open-ledger.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { ServiceWay } from '../../src/model/service-way.ts'
import { holdAsked, checked, scratch } from '../support/ledger/sample-events.ts'
import { damagedCheck, holders, notes, notesByApi, write } from '../support/ledger/services.ts'

describe('the same service, reached in another way', () => {
  test.each([
    ['by its admin API', notesByApi],
    ['with another quiesce command', { ...notes, address: '["other","pause"]' }],
  ])('%s: its holds are not ours to end', async (_how, now) => {
    using folder = scratch()
    await write(folder.path, notes, holdAsked('h', 'acme'))
    await using reading = await readLedger(folder.path, now)
    expect(await holders(reading)).toEqual([[], ['h: another-way']])
  })

  const seenBy = async (dir: string, way: ServiceWay): Promise<readonly [unknown, string | null]> => {
    await using reading = await readLedger(dir, way)
    const results = await reading.lastResults()
    return [results.map(({ verdict, depth, settled }) => [verdict, depth, settled?.verdict]), reading.notice]
  }
  const byHooks = expect.stringContaining(
    'what is known of 1 file was found in another way of reaching notes (by hooks with /etc/notes.yaml)',
  ) as string

  test('what another way found counts until this way has settled something; later damage counts again', async () => {
    using folder = scratch()
    const { path } = folder
    await write(path, notes, damagedCheck('acme'))
    expect(await seenBy(path, notesByApi)).toEqual([[['damaged', 'full', 'damaged']], byHooks])
    await write(path, notesByApi, checked('acme', { depth: 'quick' }))
    expect(await seenBy(path, notesByApi)).toEqual([[['sound', 'quick', 'damaged']], byHooks])
    await write(path, notesByApi, checked('acme'))
    expect(await seenBy(path, notesByApi)).toEqual([[['sound', 'full', 'sound']], null])
    await write(path, notes, damagedCheck('acme'))
    expect(await seenBy(path, notesByApi)).toEqual([[['sound', 'full', 'damaged']], byHooks])
    await write(path, notesByApi, checked('acme'))
    expect(await seenBy(path, notesByApi)).toEqual([[['sound', 'full', 'sound']], null])
  })

  test('a sound check in another way clears no damage: it may be another service of the same name', async () => {
    using folder = scratch()
    const { path } = folder
    await write(path, notesByApi, damagedCheck('acme'))
    await write(path, notes, checked('acme'))
    expect(await seenBy(path, notesByApi)).toEqual([[['damaged', 'full', 'damaged']], null])
    await write(path, { ...notes, address: '["third","pause"]' }, damagedCheck('bolt'))
    await write(path, notes, checked('bolt'))
    expect((await seenBy(path, notesByApi))[0]).toContainEqual(['sound', 'full', 'damaged'])
  })

  test('of two configurations with one address, a check that settles nothing does not hide damage', async () => {
    using folder = scratch()
    const { path } = folder
    const moved = { ...notes, config: '/elsewhere.yaml' }
    await write(path, moved, checked('acme'))
    await write(path, notes, damagedCheck('acme'))
    await write(path, moved, checked('acme', { depth: 'quick' }))
    expect(await seenBy(path, notes)).toEqual([[['sound', 'quick', 'damaged']], null])
  })

  test('the list of checks has those of all ways, and says how many another way made', async () => {
    using folder = scratch()
    await write(folder.path, notes, damagedCheck('acme'), checked('bolt'))
    await write(folder.path, notesByApi, checked('acme'))
    await using reading = await readLedger(folder.path, notesByApi)
    expect((await reading.checks(tenantId('acme'), 10)).lines.length).toBe(2)
    expect(reading.notice).toBe(
      '1 check of this list was made in another way of reaching notes (by hooks with /etc/notes.yaml)',
    )
  })

  test('a configuration that moved is the same way', async () => {
    using folder = scratch()
    await write(folder.path, notes, holdAsked('h', 'acme'))
    await using reading = await readLedger(folder.path, { ...notes, config: '/elsewhere.yaml' })
    expect(await holders(reading)).toEqual([['h'], []])
  })
})
