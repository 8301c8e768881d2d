/** Rotation: which backups of a file stay, by their times alone. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { newBackupId } from '../../src/backup/layout.ts'
import { surplusOf, type RotationRule } from '../../src/backup/rotation.ts'
import type { VerifiedBackup } from '../../src/model/result/backup.ts'
import { acmeFile } from '../support/backup/sound-files.ts'

const at = (takenAt: string, confirmedAt: string | null = null): VerifiedBackup => ({
  ...acmeFile,
  id: newBackupId(takenAt),
  takenAt,
  confirmedAt,
  verifiedAt: takenAt,
  sha256: '0'.repeat(64),
  bytes: 1,
  storedBytes: 1,
  state: 'verified',
  level: 'sealed',
  failure: null,
})

/** The hour of the first moment of 2026-11-02, a Monday, and so many hours later. */
const hours = (count: number): string => new Date(Date.UTC(2026, 10, 2) + count * 3_600_000).toISOString()
const later = Date.UTC(2028, 0, 1)
const keptOf = (backups: readonly VerifiedBackup[], rule: RotationRule): readonly string[] => {
  const surplus = new Set(surplusOf(backups, rule, later))
  return backups.filter((backup) => !surplus.has(backup)).map(({ takenAt }) => takenAt)
}

test('the last ones stay', () => {
  const backups = [0, 1, 2, 3, 4].map((hour) => at(hours(hour)))
  expect(keptOf(backups, { last: 3, daily: 0, weekly: 0 })).toEqual([hours(2), hours(3), hours(4)])
})

test('of each day the newest stays, of as many days as have one', () => {
  const times = [0, 12, 23.9, 24, 24 * 9, 24 * 9 + 1].map(hours)
  expect(
    keptOf(
      times.map((time) => at(time)),
      { last: 1, daily: 2, weekly: 0 },
    ),
  ).toEqual([hours(24), hours(24 * 9 + 1)])
  expect(
    keptOf(
      times.map((time) => at(time)),
      { last: 1, daily: 3, weekly: 0 },
    ),
  ).toEqual([23.9, 24, 24 * 9 + 1].map(hours))
})

test('weeks begin on Monday in UTC', () => {
  const sunday = hours(-0.1)
  const monday = hours(0)
  const nextSunday = hours(7 * 24 - 0.1)
  const nextMonday = hours(7 * 24)
  const backups = [sunday, monday, nextSunday, nextMonday].map((time) => at(time))
  expect(keptOf(backups, { last: 1, daily: 0, weekly: 2 })).toEqual([nextSunday, nextMonday])
  expect(keptOf(backups, { last: 1, daily: 0, weekly: 3 })).toEqual([sunday, nextSunday, nextMonday])
})

test('a confirmed backup stands for every day until its confirmation', () => {
  const old = at(hours(0), hours(24 * 20))
  const backups = [old, at(hours(24 * 21)), at(hours(24 * 22)), at(hours(24 * 23))]
  expect(keptOf(backups, { last: 1, daily: 4, weekly: 0 })).toHaveLength(4)
  expect(keptOf(backups, { last: 1, daily: 3, weekly: 0 })).not.toContain(old.takenAt)
})

test('backups of a wrong clock stay, and no other goes for them', () => {
  const backups = [at(hours(0)), at(hours(1), hours(24 * 700)), at(hours(24 * 400)), at(hours(24 * 800))]
  const surplus = surplusOf(backups, { last: 1, daily: 1, weekly: 1 }, Date.parse(hours(2)))
  expect(surplus.map(({ takenAt }) => takenAt)).toEqual([hours(0)])
})

test('whatever the rule: the newest stays, and never fewer than the last ones', () => {
  const any = fc.array(fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 500 })), { maxLength: 40 })
  fc.assert(
    fc.property(any, fc.nat(5), fc.nat(8), fc.nat(8), (times, last, daily, weekly) => {
      const backups = times.map(([hour, until]) => at(hours(hour), until === 0 ? null : hours(hour + until)))
      const rule = { last, daily, weekly }
      const surplus = surplusOf(backups, rule, later)
      const kept = backups.filter((backup) => !surplus.includes(backup))
      const newest = backups.toSorted((a, b) => (a.id < b.id ? 1 : -1))
      for (const one of newest.slice(0, Math.max(1, last))) expect(kept).toContain(one)
      expect(kept.length).toBeLessThanOrEqual(Math.max(1, last) + daily + weekly)
      expect(surplusOf(kept, rule, later)).toEqual([]) // Rotating again deletes nothing more.
    }),
  )
})

test('the default rule keeps a year of nights small', () => {
  const nights = Array.from({ length: 365 }, (_, night) => at(hours(night * 24 + 3)))
  const kept = keptOf(nights, { last: 3, daily: 7, weekly: 5 })
  expect(kept.length).toBe(10) // 7 days, and the Sundays of 3 weeks before them
})
