/** `salvage` as a person runs it: the new file, its account, and exit codes that say what was lost. */
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import type { Account } from '../../src/model/result/account.ts'
import type { RemedyReport, RemedyResult } from '../../src/model/result/remedy.ts'
import { newJournalHeader, newJournalRecord } from '../../src/sqlite/journal/new-journal.ts'
import { fingerprintOf, makeFolder } from '../support/cli/folder.ts'
import { holdfast, start, type ProgramResult } from '../support/cli/program.ts'
import { create, fillEvents } from '../support/databases/create-database.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { appendTrailer } from '../support/databases/trailer.ts'
import { eventually } from '../support/processes.ts'

function resultIn({ stdout, stderr, code }: ProgramResult): RemedyResult {
  expect(stdout, stderr).toMatch(/^\{[^]*\}\n$/)
  const { results, summary, run } = JSON.parse(stdout) as RemedyReport
  expect(summary.exitCode).toBe(code)
  expect(run.mode).toBe('salvage')
  const [result, ...others] = results
  if (result === undefined || others.length > 0) throw new Error(`${results.length} results`)
  return result
}

const countIn = (path: string, table: string): unknown => {
  const database = new Database(path, { readonly: true })
  try {
    return database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
  } finally {
    database.close()
  }
}

function makeDamaged(path: string, wound: (database: EditableDatabase) => void): string {
  create(path, 1024, fillEvents(1000))
  using database = new EditableDatabase(path)
  wound(database)
  return path
}

const zeroLeaf = (database: EditableDatabase): void => database.write(database.leaf('events'), Buffer.alloc(1024))

describe('a damaged file', () => {
  test('with lost rows: 2, a sound new file, and an account that names each row', async () => {
    using folder = makeFolder()
    const path = makeDamaged(folder.in('app.db'), zeroLeaf)
    const before = fingerprintOf(folder.path)
    const to = folder.in('new.db')
    const ran = await holdfast(['salvage', path, '--to', to, '--json'])
    expect(ran.code).toBe(2)
    const result = resultIn(ran)
    expect(result).toMatchObject({
      tenant: null,
      path,
      before: { verdict: 'damaged', damage: 'table' },
      plan: { do: 'salvage', losses: [{ table: 'events', changed: 0 }] },
      rehearsal: { verdict: 'sound' },
      applied: { verdict: 'sound', original: to, pauseMs: null, healthy: null },
      failure: null,
    })
    const rows = countIn(to, 'events') as number
    const account = JSON.parse(readFileSync(result.account ?? '', 'utf8')) as Account
    const [events] = account.tables
    expect(events).toMatchObject({ table: 'events', kept: rows, unreadable: { total: 1000 - rows } })
    expect(events?.unreadable.keys).toHaveLength(1000 - rows)
    expect(statSync(to).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder.path)).toHaveLength(3)
    for (const [name, digest] of Object.entries(before))
      expect(fingerprintOf(folder.path)).toHaveProperty([name], digest)
  })

  test('of which every row was found: 0', async () => {
    using folder = makeFolder()
    const path = makeDamaged(folder.in('app.db'), (database) =>
      database.write(database.root('events'), Buffer.alloc(1024)),
    )
    const ran = await holdfast(['salvage', path, '--to', folder.in('new.db'), '--json'])
    expect(ran.code).toBe(0)
    expect(resultIn(ran).plan.losses).toEqual([])
    expect(countIn(folder.in('new.db'), 'events')).toBe(1000)
  })

  test('of which an index holds another value than a row: 2, and the account names the row and the entry', async () => {
    using folder = makeFolder()
    const path = folder.in('app.db')
    create(path, 1024, (db) =>
      db.exec(`CREATE TABLE t(a); CREATE INDEX i ON t(a); INSERT INTO t VALUES('one'), ('two')`),
    )
    {
      using database = new EditableDatabase(path)
      database.edit(database.root('t'), (bytes) => bytes.write('TWO', bytes.indexOf('two')))
    }
    const ran = await holdfast(['salvage', path, '--to', folder.in('new.db'), '--json'])
    expect(ran.code).toBe(2)
    const { plan, account } = resultIn(ran)
    expect(plan.losses).toMatchObject([{ table: 't', inBoth: 1, lost: 0, doubted: 1, keys: [2], keysTotal: 1 }])
    expect(plan.why).toContain('1 row in the tables differs from an index')
    const { tables, dropped } = JSON.parse(readFileSync(account ?? '', 'utf8')) as Account
    expect(tables).toMatchObject([{ kept: 2, doubted: { total: 1, keys: [2] } }])
    expect(dropped).toEqual([{ index: 'i', key: 2, columns: ['a'], values: ['two'] }])
    const text = await holdfast(['salvage', path, '--to', folder.in('other.db')])
    expect(text.stdout).toContain('t: 1 row that an index CONTRADICTS')
    expect(text.stdout).not.toContain('everything')
  })

  test('the text names what is lost and where it is listed', async () => {
    using folder = makeFolder()
    const path = makeDamaged(folder.in('app.db'), zeroLeaf)
    const { stdout, code } = await holdfast(['salvage', path, '--to', folder.in('new.db')])
    expect(code).toBe(2)
    expect(stdout).toMatch(/new +\S+new\.db: sound/)
    expect(stdout).toMatch(/events: \d+ rows? LOST/)
    expect(stdout).toContain('new.db.account-')
  })

  test('without a readable schema: that of the file behind --from is used', async () => {
    using folder = makeFolder()
    const path = folder.in('app.db')
    create(path, 1024, fillEvents(1000))
    copyFileSync(path, folder.in('backup.db'))
    {
      using database = new EditableDatabase(path)
      database.edit(1, (bytes) => bytes.fill(0, 100))
    }
    const to = folder.in('new.db')
    const ran = await holdfast(['salvage', path, '--to', to, '--from', folder.in('backup.db'), '--json'])
    expect(ran.code, ran.stderr).toBe(2)
    expect(resultIn(ran).plan.backup).toMatchObject({ id: folder.in('backup.db') })
    expect(countIn(to, 'events')).toBe(1000)
  })
})

test('a killed salvage: no new file, and the next one deletes what it has left, and says so', async () => {
  using folder = makeFolder()
  const path = makeDamaged(folder.in('app.db'), zeroLeaf)
  const to = folder.in('new.db')
  const left = (): readonly string[] => readdirSync(folder.path).filter((name) => name.startsWith('.holdfast-'))
  const program = start(['salvage', path, '--to', to])
  const ended = once(program, 'close')
  // Before it has signed its folder, the next one could take it for that of another program.
  await eventually('it has a folder', () => left().some((name) => existsSync(folder.in(`${name}/owner`))))
  program.kill('SIGKILL')
  await ended
  const [name = ''] = left()
  expect([name.slice(0, 18), existsSync(to)]).toEqual(['.holdfast-salvage-', false])
  // Others have such names too. They stay.
  mkdirSync(folder.in('.holdfast-salvage-theirs'))
  writeFileSync(folder.in('.holdfast-salvage-theirs/file'), '')
  const ran = await holdfast(['salvage', path, '--to', to, '--json'])
  expect(ran.code, ran.stderr).toBe(2)
  expect(resultIn(ran).plan.why).toContain(`what a killed salvage had left was deleted first (${name})`)
  expect(left()).toEqual(['.holdfast-salvage-theirs'])
  expect(existsSync(to)).toBe(true)
})

describe('a new file that SQLite would take for a part of another database, or another for a part of it', () => {
  test.each(['new.db-wal', 'new.db-shm', 'new.db-journal'])(
    'beside %s: exit code 64, and nothing is done',
    async (name) => {
      using folder = makeFolder()
      const path = makeDamaged(folder.in('app.db'), zeroLeaf)
      writeFileSync(folder.in(name), 'of another database')
      const before = fingerprintOf(folder.path)
      const { code, stderr } = await holdfast(['salvage', path, '--to', folder.in('new.db')])
      expect([code, fingerprintOf(folder.path)]).toEqual([64, before])
      expect(stderr).toContain(name)
    },
  )

  test.each(['app.db-wal', 'app.db-shm', 'app.db-journal'])('under the name %s: exit code 64', async (name) => {
    using folder = makeFolder()
    const path = makeDamaged(folder.in('app.db'), zeroLeaf)
    symlinkSync(folder.path, folder.in('link'))
    const before = readdirSync(folder.path)
    for (const to of [folder.in(name), folder.in(`link/${name}`)])
      expect((await holdfast(['salvage', path, '--to', to])).code).toBe(64)
    expect(readdirSync(folder.path)).toEqual(before)
  })

  test('a WAL that comes while the rows are written: exit code 64, and no new file', async () => {
    using folder = makeFolder()
    const path = makeDamaged(folder.in('app.db'), zeroLeaf)
    const program = start(['salvage', path, '--to', folder.in('new.db')])
    const ended = once(program, 'close')
    await eventually('it writes', () => readdirSync(folder.path).some((name) => name.startsWith('.holdfast-')))
    writeFileSync(folder.in('new.db-wal'), 'of another database')
    expect((await ended)[0]).toBe(64)
    expect(readdirSync(folder.path).sort()).toEqual(['app.db', 'new.db-wal'])
  })
})

test('a file that is no database: no new file, and exit code 1 or 3', async () => {
  using folder = makeFolder()
  const { code } = await holdfast(['salvage', import.meta.filename, '--to', folder.in('new.db')])
  expect([1, 3]).toContain(code)
  expect(existsSync(folder.in('new.db'))).toBe(false)
  expect(readdirSync(folder.path)).toEqual([])
})

test('a file that is not there: exit code 1', async () => {
  using folder = makeFolder()
  expect((await holdfast(['salvage', folder.in('none.db'), '--to', folder.in('new.db')])).code).toBe(1)
  expect(readdirSync(folder.path)).toEqual([])
})

test('without --to: exit code 64', async () => {
  expect((await holdfast(['salvage', 'app.db'])).code).toBe(64)
})

test('a journal that cannot be rolled back is named: half of a transaction may be in the new file', async () => {
  using folder = makeFolder()
  const file = folder.in('app.db')
  create(file, 1024, fillEvents(100))
  const bytes = readFileSync(file)
  const [pageCount, nonce] = [bytes.length / 1024, 7]
  const header = newJournalHeader({ pageSize: 1024, pageCount, records: 1, nonce })
  writeFileSync(`${file}-journal`, Buffer.concat([header, newJournalRecord(2, bytes.subarray(1024, 2048), nonce)]))
  appendTrailer(`${file}-journal`, '/srv/elsewhere/transaction-mj12345678')
  const { stdout } = await holdfast(['salvage', file, '--to', folder.in('new.db')])
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain('the journal was not rolled back: it belongs to a transaction over')
})
