/** What a person reads of the copies of a tenant. */
import { expect, test } from 'vitest'
import { compareCopies } from '../../../src/fleet/compare/compare-copies.ts'
import type { FleetComparison } from '../../../src/fleet/compare/fleet-comparison.ts'
import { countCopies, exitCodeOfCopies, outcomeOfCopies } from '../../../src/fleet/compare/judge-copies.ts'
import type { StoredCopy } from '../../../src/fleet/compare/stored-copy.ts'
import { copiesText } from '../../../src/report/fleet/copies-text.ts'
import { problemsOfDocument } from '../../support/cli/json-documents.ts'

const basis = { format: '1-aa', encoding: 'UTF-8', schema: 's1' } as const
const copy = (host: string, eventsDigest: string, madeAt = 0): StoredCopy => ({
  host,
  service: 'notes',
  path: '/srv/notes/acme.db',
  verdict: 'sound',
  digests: {
    madeAt,
    basis,
    tables: [
      { name: 'events', rows: 3000, digest: eventsDigest },
      { name: 'users', rows: 20, digest: 'u' },
    ],
  },
})

function reportOf(copies: readonly StoredCopy[]): FleetComparison {
  const files = compareCopies(copies)
  const report: FleetComparison = {
    schema: 'holdfast.fleetcompare/1',
    tool: { version: '1.0.0' },
    tenant: 'acme',
    comparedAt: new Date(0).toISOString(),
    outcome: outcomeOfCopies(files, false),
    files,
    summary: {
      copies: copies.length,
      files: countCopies(files.map(({ comparison }) => comparison)),
      tables: countCopies(files.flatMap(({ tables }) => tables.map(({ comparison }) => comparison))),
      exitCode: exitCodeOfCopies(files, false),
    },
  }
  expect(problemsOfDocument(report)).toEqual([])
  return report
}

const textOf = (copies: readonly StoredCopy[]): string =>
  copiesText(reportOf(copies), { width: 80, color: false, verbose: false })

test('equal copies: what was compared, and when', () => {
  expect(textOf([copy('alpha', 'e'), copy('beta', 'e')])).toBe(`Tenant acme: 2 copies

COPY   VERDICT  DIGESTS OF (UTC)     FILE
alpha  sound    1970-01-01 00:00:00  /srv/notes/acme.db
beta   sound    1970-01-01 00:00:00  /srv/notes/acme.db

TABLE   COPIES   ROWS  ON
events  equal   3,000  all
users   equal      20  all

All copies held the same when they were checked. 2 tables: 2 equal, 0 differing,
0 not compared. Exit code 0: all copies are sound and hold the same.
`)
})

test('a copy that differs is named, with the time in which a write may explain it', () => {
  expect(textOf([copy('alpha', 'e'), copy('beta', 'x', 90_000), copy('gamma', 'e')])).toBe(`Tenant acme: 3 copies

COPY   VERDICT  DIGESTS OF (UTC)     FILE
alpha  sound    1970-01-01 00:00:00  /srv/notes/acme.db
beta   sound    1970-01-01 00:01:30  /srv/notes/acme.db
gamma  sound    1970-01-01 00:00:00  /srv/notes/acme.db

TABLE   COPIES    ROWS  ON
events  DIFFERS  3,000  alpha, gamma
                 3,000  beta
users   equal       20  all

The digests were made 1 min 30 s apart. A table that was written in between may
differ for that reason alone.

The copies differed when they were checked. 2 tables: 1 equal, 1 differing, 0
not compared. Exit code 5: all copies are sound, and they differ.
Which rows differ now:
  holdfast fleet compare --by-key acme
`)
})

test('a copy without digests is named, and what stores them', () => {
  const text = textOf([copy('alpha', 'e'), { ...copy('beta', 'e'), verdict: null, digests: null }])
  expect(text).toContain('beta   never checked  -                    /srv/notes/acme.db')
  expect(text).toContain('Not wholly compared: no full check has stored digests on beta')
  expect(text).toContain('`holdfast fleet sweep`')
})

test('names of a database cannot harm a terminal', () => {
  const evil = { ...copy('alpha', 'e'), path: '/srv/\u001b[31m/acme.db' }
  expect(textOf([evil, copy('beta', 'x')])).not.toContain('\u001b')
})
