/**
 * The JSON report: exactly one document, its keys and words, row keys and their redaction, and no
 * other value of a row.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cellOffset } from '../../src/sqlite/page.ts'
import { damageIndex, makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { holdfast, reportIn, reportOf, single } from '../support/cli/program.ts'
import { openService } from '../support/cli/service.ts'
import { fillEvents, create } from '../support/databases/create-database.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { createVariedDatabase, wounds } from '../support/databases/wounds.ts'

test('a document has the keys of the contract, in its order, for a bare file and for a tenant', async () => {
  await using service = await openService()
  using folder = makeFolder()
  const bare = await reportOf(['check', makeDatabase(folder.in('a.db'))])
  const swept = await reportOf(['sweep', '--config', service.config])
  for (const report of [bare, swept]) {
    expect(Object.keys(report)).toEqual(['schema', 'tool', 'run', 'results', 'summary'])
    expect(Object.keys(report.tool)).toEqual(['version', 'sqlite'])
    expect(report.tool.sqlite).toMatch(/^3\.\d+\.\d+$/)
    expect(Object.keys(report.run)).toEqual(['id', 'mode', 'startedAt', 'finishedAt', 'registry', 'incident'])
    const named = [
      'tenant',
      'path',
      'verdict',
      'damage',
      'findings',
      'findingsTotal',
      'remedy',
      'causes',
      'coverage',
      'content',
      'evidence',
      'timings',
    ]
    for (const result of report.results) {
      expect(Object.keys(result).filter((key) => named.includes(key))).toEqual(named)
      expect(Object.keys(result.evidence)).toEqual(
        expect.arrayContaining(['level', 'lock', 'probe', 'lease', 'holders', 'proofs', 'quiesce', 'snapshot']),
      )
      expect(result.evidence).toMatchObject({
        level: 'sealed',
        holders: [],
        lock: { kind: 'ofd' },
        probe: { before: { raw: 'refused' }, after: { raw: 'refused' } },
        lease: { state: 'held' },
      })
      expect(result.evidence.proofs).toHaveLength(2)
      expect(result.evidence.snapshot?.sha256).toMatch(/^[0-9a-f]{64}$/)
      expect(Object.keys(result.content.tables[0] ?? {})).toEqual(['name', 'rows', 'digest'])
      expect(result.coverage.pagesRead).toBe(result.coverage.pages)
    }
  }
  expect([bare.run.mode, bare.run.registry, bare.results[0]?.tenant, bare.results[0]?.evidence.quiesce]).toEqual([
    'check',
    'none',
    null,
    null,
  ])
  expect([swept.run.mode, swept.run.registry, new Set(swept.results.map(({ tenant }) => tenant))]).toEqual([
    'sweep',
    'live',
    new Set(['acme', 'bolt']),
  ])
  for (const { evidence } of swept.results) {
    expect(evidence.quiesce).toMatchObject({
      via: 'admin-api',
      continuous: true,
      leaseId: expect.any(String) as string,
      fence: expect.any(Number) as number,
      bootId: expect.any(String) as string,
      heldMs: expect.any(Number) as number,
    })
  }
})

test('whatever fails, a reader of --json gets one document: usage, configuration, the service', async () => {
  await using service = await openService()
  service.vanish()
  const cases: readonly (readonly [readonly string[], string, number])[] = [
    [['check'], 'USAGE', 64],
    [['check', '--nonsense'], 'USAGE', 64],
    [['sweep', '--max-paused', '0'], 'USAGE', 64],
    [['pull', 'acme'], 'USAGE', 64],
    [['sweep', '--config', '/nonexistent.yaml'], 'CONFIG_INVALID', 78],
    [['pull', 'acme', '/nonexistent/x', '--config', '/nonexistent.yaml'], 'CONFIG_INVALID', 78],
    [['sweep', '--config', service.config], 'ADMIN_UNREACHABLE', 1],
    [['check', '--tenant', 'acme', '--config', service.config], 'ADMIN_UNREACHABLE', 1],
    [['check', '--snapshots', '/etc', '/etc/passwd'], 'SNAPSHOT_UNSAFE', 1],
  ]
  for (const [args, code, exitCode] of cases) {
    const ran = await holdfast([...args, '--json'])
    const report = reportIn(ran)
    expect([report.failure?.code, report.results, ran.code], args.join(' ')).toEqual([code, [], exitCode])
    expect(report.failure).toMatchObject({
      message: expect.stringMatching(/\w/) as string,
      hint: expect.stringMatching(/\w/) as string,
      tenantState: 'untouched',
    })
    expect(ran.stderr).toMatch(/\w/)
  }
})

test('a report needs no disk: without a TMPDIR, results wait in memory', async () => {
  await using service = await openService()
  expect(
    reportIn(await holdfast(['sweep', '--json', '--config', service.config], { env: { TMPDIR: '/nonexistent' } }))
      .summary,
  ).toMatchObject({ sound: 2, exitCode: 0 })
})

/** Rowids out of order and rows without parents: two findings that name rows. */
function makeRows(path: string): void {
  create(path, 1024, (db) => {
    fillEvents(300)(db)
    db.pragma('foreign_keys=OFF')
    db.exec(`CREATE TABLE parents(id INTEGER PRIMARY KEY);
      CREATE TABLE children(id INTEGER PRIMARY KEY, parent REFERENCES parents(id), note TEXT);
      INSERT INTO children VALUES(7, 1, 'SECRET-seven'), (9007199254740993, 2, 'SECRET-large')`)
  })
  using database = new EditableDatabase(path)
  const page = database.leaf('events')
  database.edit(page, (bytes, bTree) => {
    const first = cellOffset(bytes, bTree, 3)
    bytes.writeUInt16BE(cellOffset(bytes, bTree, 4), bTree.pointers + 6)
    bytes.writeUInt16BE(first, bTree.pointers + 8)
  })
}

test(
  'rows are rowids as numbers, beyond 2^53 as decimal strings; ' +
    '--redact-keys puts equal digests in their place, in text too',
  async () => {
    using folder = makeFolder()
    makeRows(folder.in('rows.db'))
    const plain = single(await reportOf(['check', folder.in('rows.db')]))
    const orphans = plain.findings.find(({ rule }) => rule === 'foreign-key-violated')
    expect([orphans?.rows?.toSorted((a) => (a === 7 ? -1 : 1)), orphans?.total, orphans?.severity]).toEqual([
      [7, '9007199254740993'],
      2,
      'notice',
    ])
    const disorder = plain.findings.find(({ rule }) => rule === 'rowid-out-of-order')
    const [key] = disorder?.rows ?? []
    expect(key).toEqual(expect.any(Number))
    for (const command of [
      ['check', '--redact-keys'],
      ['check', '--snapshot', '--redact-keys'],
    ]) {
      const redacted = single(await reportOf([...command, folder.in('rows.db')]))
      const digests = redacted.findings.flatMap(({ rows }) => rows ?? []) as readonly string[]
      expect(digests.length).toBe(plain.findings.flatMap(({ rows }) => rows ?? []).length)
      for (const digest of digests) expect(digest).toMatch(/^hmac:[0-9a-f]{16}$/)
      expect(redacted.findings.map(({ rule, total }) => [rule, total])).toEqual(
        plain.findings.map(({ rule, total }) => [rule, total]),
      )
      expect(JSON.stringify(redacted.findings)).not.toContain('9007199254740993')
      expect(
        redacted.findings
          .filter(({ rule }) => rule === 'rowid-out-of-order')
          .map(({ text }) => text)
          .join(),
      ).not.toMatch(new RegExp(`\\b${key as number}\\b`))
    }
    const text = await holdfast(['check', '--verbose', '--redact-keys', folder.in('rows.db')])
    expect(text.stdout).not.toContain('9007199254740993')
    expect(text.stdout).toContain('hmac:')
    expect((await holdfast(['check', '--verbose', folder.in('rows.db')])).stdout).toContain('9007199254740993')
  },
)

const secret = /SECRET/

describe('no damage brings the value of a row into a report', () => {
  const folder = makeFolder()
  let wounded: string[] = []

  beforeAll(() => {
    const whole = folder.in('whole.db')
    createVariedDatabase(whole, 1024, false)
    const plain = new Database(whole)
    plain.exec(`UPDATE users SET name = 'SECRET name ' || id;
      UPDATE events SET note = 'SECRET note ' || id WHERE id % 2; UPDATE events SET kind = 'SECRET-kind'
    WHERE id % 7 = 0; UPDATE blobs SET body = 'SECRET' || hex(randomblob(600)); VACUUM; CREATE TABLE trash(x);
      INSERT INTO trash SELECT randomblob(4000) FROM users LIMIT 20; DROP TABLE trash`)
    plain.close()
    wounded = wounds
      .filter(({ only }) => only === undefined)
      .map((wound, i) => {
        const path = folder.in(`wound-${i}.db`)
        copyFileSync(whole, path)
        using database = new EditableDatabase(path)
        try {
          wound.make(database)
        } catch {
          return null // Not every wound fits this database: it has other pages now.
        }
        return path
      })
      .filter((path) => path !== null)
    expect(wounded.length).toBeGreaterThan(25)
  })
  afterAll(() => folder[Symbol.dispose]())

  test.each([0, 1, 2])('JSON and log name places only (part %i of the wounds)', async (part) => {
    const paths = wounded.filter((_path, i) => i % 3 === part)
    const json = await holdfast(['check', '--snapshot', '--json', '--log-level', 'debug', ...paths])
    expect(reportIn(json).summary.damaged).toBeGreaterThan(paths.length * 0.7)
    expect(json.stdout + json.stderr).not.toMatch(secret)
  })

  test('text names places only', async () => {
    const { stdout, stderr } = await holdfast(['check', '--snapshot', '--verbose', ...wounded.slice(0, 12)])
    expect(stdout).toContain('damaged')
    expect(stdout + stderr).not.toMatch(secret)
  })
})

test('no damage of a tenant brings the value of a row into the ledger', async () => {
  await using service = await openService({
    tenants: (data) => {
      const acme = makeDatabase(join(data, 'acme.db'))
      const database = new Database(acme)
      database.exec("UPDATE notes SET title = 'SECRET ' || id, body = 'SECRET body'")
      database.close()
      damageIndex(acme)
      return { acme }
    },
  })
  const swept = await holdfast(['sweep', '--json', '--log-level', 'debug', '--config', service.config])
  expect(reportIn(swept).summary).toMatchObject({ damaged: 1, exitCode: 2 })
  expect(swept.stdout + swept.stderr).not.toMatch(secret)
  const kept = readdirSync(service.ledger, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  expect(kept.filter((path) => path.endsWith('.json.zst'))).toHaveLength(1)
  // Damaged pages are kept whole, as backups and originals are (src/ledger/README.md).
  for (const path of kept.filter((path) => !path.endsWith('.pages.zst'))) {
    const bytes = readFileSync(path)
    const text = path.endsWith('.zst') ? spawnSync('zstd', ['-dc'], { input: bytes, maxBuffer: 1e9 }).stdout : bytes
    expect([path, text.includes('SECRET')]).toEqual([path, false])
    expect([path, text.length > 0]).toEqual([path, bytes.length > 0])
  }
})

test('the digests of a full census come with what makes them comparable, and other checks have none', async () => {
  using folder = makeFolder()
  const path = folder.in('a.db')
  const other = folder.in('b.db')
  makeDatabase(path)
  create(other, 4096, (db) => db.exec("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x')"), ["encoding='UTF-16le'"])
  const basisOf = async (...words: readonly string[]): Promise<object | undefined> =>
    single(await reportOf(['check', ...words])).content.basis
  const basis = await basisOf(path)
  expect(basis).toEqual({
    format: expect.stringMatching(/^\d+-[0-9a-f]{16}$/) as string,
    encoding: 'UTF-8',
    schema: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
  })
  expect(await basisOf(other)).toMatchObject({ encoding: 'UTF-16le' })
  expect(await basisOf(path, '--depth', 'quick')).toBeUndefined()
  expect(await basisOf(path, '--engine', 'sqlite')).toBeUndefined()
})
