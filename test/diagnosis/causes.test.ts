/** Causes: each with the observation that it rests on. */

import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { context, message, reading } from '../support/diagnosis.ts'

describe('causes', () => {
  const bug = (serviceSqlite: string) =>
    diagnose(reading([message('row 3 missing from index events_kind')]), { ...context, serviceSqlite }).causes.some(
      ({ hint }) => hint === 'wal-reset-bug',
    )
  test.each([
    ['3.6.23', false],
    ['3.7.0', true],
    ['3.40.1', true],
    ['3.44.5', true],
    ['3.44.6', false],
    ['3.45.0', true],
    ['3.50.6', true],
    ['3.50.7', false],
    ['3.51.2', true],
    ['3.51.3', false],
    ['3.54.1', false],
    ['4.0.0', false],
    ['rubbish', false],
  ])('SQLite %s has the WAL-reset bug: %s', (version, expected) => {
    expect(bug(version)).toBe(expected)
  })

  test('the WAL-reset bug is not blamed for damage of another shape, nor anything for a sound file', () => {
    const suspicious = { ...context, serviceSqlite: '3.46.0', links: 2, fileSystem: 'nfs4' }
    expect(diagnose(reading([message('NULL value in users.mail')]), suspicious).causes.map(({ hint }) => hint)).toEqual(
      ['many-names', 'untrusted-file-system'],
    )
    expect(diagnose(reading([]), suspicious).causes).toEqual([])
  })
})
