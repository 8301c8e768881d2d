/** Copies of a tenant are compared by stored digests: equal ones first, then one thing wrong at a time. */
import { expect, test } from 'vitest'
import { compareCopies } from '../../../src/fleet/compare/compare-copies.ts'
import type { CopiesOfFile } from '../../../src/fleet/compare/fleet-comparison.ts'
import { exitCodeOfCopies, outcomeOfCopies } from '../../../src/fleet/compare/judge-copies.ts'
import type { StoredCopy, StoredTable } from '../../../src/fleet/compare/stored-copy.ts'

const basis = { format: '1-aa', encoding: 'UTF-8', schema: 's1' } as const
const events: StoredTable = { name: 'events', rows: 3, digest: 'e' }
const users: StoredTable = { name: 'users', rows: 2, digest: 'u' }
const digests = { madeAt: 1_000_000, basis, tables: [events, users] }

const copy = (host: string, more: Partial<StoredCopy> = {}): StoredCopy => ({
  host,
  service: 'notes',
  path: '/srv/notes/acme.db',
  verdict: 'sound',
  digests,
  ...more,
})

function only(copies: readonly StoredCopy[]): CopiesOfFile & { readonly exitCode: number; readonly outcome: string } {
  const files = compareCopies(copies)
  expect(files).toHaveLength(1)
  const [file] = files
  if (file === undefined) throw new Error('no file')
  return { ...file, exitCode: exitCodeOfCopies(files, false), outcome: outcomeOfCopies(files, false) }
}

const wordsOf = ({ tables }: CopiesOfFile): readonly string[] =>
  tables.map(({ name, comparison }) => `${name} ${comparison}`)

test('three equal copies are equal: 0, whatever the names of their files are', () => {
  const file = only([copy('alpha'), copy('beta', { path: '/srv/replica/acme-2.db' }), copy('gamma')])
  expect([file.exitCode, file.outcome, file.comparison, file.schema, file.why]).toEqual([
    0,
    'equal',
    'equal',
    'equal',
    null,
  ])
  expect(wordsOf(file)).toEqual(['events equal', 'users equal'])
  expect(file.tables[0]?.variants).toEqual([
    { copies: ['alpha', 'beta', 'gamma'], rows: 3, digest: 'e', missing: false },
  ])
  expect(file.apartMs).toBe(0)
})

test('one copy has other rows: 5, and the variant of most copies comes first', () => {
  const other = { ...digests, madeAt: 4_000_000, tables: [{ name: 'events', rows: 3, digest: 'x' }, users] }
  const file = only([copy('alpha', { digests: other }), copy('beta'), copy('gamma')])
  expect([file.exitCode, file.outcome, file.apartMs]).toEqual([5, 'differ', 3_000_000])
  expect(wordsOf(file)).toEqual(['events differs', 'users equal'])
  expect(file.tables[0]?.variants.map(({ copies }) => copies)).toEqual([['beta', 'gamma'], ['alpha']])
})

test('a table that one copy does not have is a difference; letter case of its name is not', () => {
  const fewer = { ...digests, tables: [{ ...events, name: 'EVENTS' }] }
  const file = only([copy('alpha'), copy('beta', { digests: fewer })])
  expect(file.exitCode).toBe(5)
  expect(wordsOf(file)).toEqual(['events equal', 'users differs'])
  expect(file.tables[1]?.variants.map(({ missing }) => missing)).toEqual([false, true])
})

test('equal rows under different schemas differ: 5', () => {
  const file = only([copy('alpha'), copy('beta', { digests: { ...digests, basis: { ...basis, schema: 's2' } } })])
  expect([file.exitCode, file.schema, file.comparison]).toEqual([5, 'differs', 'differs'])
  expect(wordsOf(file)).toEqual(['events equal', 'users equal'])
})

test.each([
  ['another way', { ...basis, format: '2-bb' }],
  ['another encoding', { ...basis, encoding: 'UTF-16le' as const }],
  ['an unknown way', null],
])('digests that were made in %s are compared only if they are equal, and rows are counted', (_, way) => {
  const tables = [
    { name: 'events', rows: 3, digest: 'x' },
    { name: 'users', rows: 1, digest: 'y' },
  ]
  const file = only([copy('alpha'), copy('beta', { digests: { ...digests, basis: way, tables } })])
  expect(wordsOf(file)).toEqual(['events not-compared', 'users differs'])
  expect(file.tables[0]?.why).toMatch(/versions of holdfast|not known how/)
  expect(file.exitCode).toBe(3)
  const neither = { ...digests, basis: null }
  const unknown = only([copy('alpha', { digests: neither }), copy('beta', { digests: { ...neither, tables } })])
  expect(wordsOf(unknown)).toEqual(['events not-compared', 'users differs'])
  const equal = only([copy('alpha'), copy('beta', { digests: { ...digests, basis: way } })])
  expect(wordsOf(equal)).toEqual(['events equal', 'users equal'])
})

test('without digests on one side nothing is compared: 3; a third copy is compared with the first', () => {
  const file = only([copy('alpha'), copy('beta', { digests: null, verdict: null })])
  expect([file.exitCode, file.outcome, file.tables]).toEqual([3, 'inconclusive', []])
  expect(file.why).toBe('no full check has stored digests on beta')
  const three = only([copy('alpha'), copy('beta', { digests: null, verdict: null }), copy('gamma')])
  expect([three.exitCode, three.comparison]).toEqual([3, 'not-compared'])
  expect(wordsOf(three)).toEqual(['events equal', 'users equal'])
})

test('the only copy is compared with nothing: 3', () => {
  const file = only([copy('alpha')])
  expect([file.exitCode, file.comparison]).toEqual([3, 'not-compared'])
  expect(file.why).toBe('the fleet knows one copy of it alone, on alpha')
})

test('a damaged copy is 2 whether it differs or not, and equal digests of it are not enough', () => {
  const equal = only([copy('alpha'), copy('beta', { verdict: 'damaged' })])
  expect([equal.exitCode, equal.comparison]).toEqual([2, 'not-compared'])
  expect(equal.why).toBe('beta: it is damaged, and may not have been read completely')
  const tables = [{ ...events, rows: 2, digest: 'x' }, users]
  const differs = only([copy('alpha'), copy('beta', { verdict: 'damaged', digests: { ...digests, tables } })])
  expect([differs.exitCode, differs.comparison]).toEqual([2, 'differs'])
})

test('a check that failed later leaves doubt: 3', () => {
  const file = only([copy('alpha'), copy('beta', { verdict: 'failed' })])
  expect([file.exitCode, file.comparison]).toEqual([3, 'not-compared'])
  expect(file.why).toContain('beta: its last check is failed')
})

test('a table without a digest is not compared', () => {
  const file = only([
    copy('alpha'),
    copy('beta', { digests: { ...digests, tables: [{ ...events, digest: null }, users] } }),
  ])
  expect(wordsOf(file)).toEqual(['events not-compared', 'users equal'])
  expect(file.exitCode).toBe(3)
})

test('several files of a host are compared by name, and two of one name by path', () => {
  const two = (host: string): readonly StoredCopy[] => [
    copy(host, { path: `/srv/${host}/acme.db` }),
    copy(host, { path: `/srv/${host}/search.db` }),
  ]
  const files = compareCopies([...two('alpha'), ...two('beta')])
  expect(files.map(({ name, comparison }) => `${name} ${comparison}`)).toEqual(['acme.db equal', 'search.db equal'])
  const same = ['/srv/1/acme.db', '/srv/2/acme.db'].flatMap((path) => [copy('alpha', { path }), copy('beta', { path })])
  expect(compareCopies(same).map(({ name }) => name)).toEqual(['/srv/1/acme.db', '/srv/2/acme.db'])
})

test('labels are unique: the host, else its service, else the path', () => {
  const services = only([copy('alpha'), copy('alpha', { service: 'replica' })])
  expect(services.copies.map(({ label }) => label)).toEqual(['alpha/notes', 'alpha/replica'])
})

test('copies that were left out keep the comparison from being equal', () => {
  const files = compareCopies([copy('alpha'), copy('beta')])
  expect([outcomeOfCopies(files, true), exitCodeOfCopies(files, true)]).toEqual(['inconclusive', 3])
})
