/** Bytes that changed although nothing wrote: which changes are rot, and which are not. */
import { copyFileSync, cpSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { shortVerdict, holdfast, reportOf, single } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { checkAll, noticed, rememberedFile, rotten, said, sameForAll, sql } from '../../support/cli/silently-changed.ts'
import { flipBit, rot } from '../../support/databases/rot.ts'

function saysSqlite(path: string): unknown {
  const database = new Database(path, { readonly: true })
  try {
    return database.pragma('integrity_check', { simple: true })
  } finally {
    database.close()
  }
}

const pageSize = 512

test(
  'a bit of an unindexed value flips at rest: SQLite says ok, the ' +
    'ledger knows the page and the table, night after night',
  async () => {
    using remembered = rememberedFile({ pageSize })
    const { path, check } = remembered
    expect(shortVerdict(await check())).toBe('sound')
    const page = rot(path, 'body 300 ', pageSize)
    expect(saysSqlite(path)).toBe('ok')
    const found = await check()
    expect([shortVerdict(found), said(found)]).toEqual(['damaged table', rotten])
    expect(found.findings[0]).toMatchObject({
      source: 'ledger',
      object: { kind: 'table', name: 'notes', table: 'notes' },
      page,
      total: 1,
      text: expect.stringMatching(/rows of notes changed/) as string,
    })
    expect([found.causes.map(({ hint }) => hint), found.remedy.do]).toEqual([['bit-rot'], 'ask'])
    expect(said(await check())).toEqual(rotten)
    // Without the ledger nothing can be known of it.
    expect(shortVerdict(single(await reportOf(['check', path])))).toBe('sound')
  },
)

test(
  'in every journal mode a write is no rot, many commits of one ' +
    'connection in exclusive mode are none, and rot at rest is',
  async () => {
    using folder = makeFolder()
    mkdirSync(folder.in('files'))
    const modes = ['delete', 'truncate', 'persist', 'memory', 'off', 'wal']
    const each = (change: (path: string, mode: string) => unknown): void => {
      for (const mode of modes) change(folder.in(`files/${mode}.db`), mode)
    }
    each((path, mode) => makeDatabase(path, { rows: 500, wal: mode === 'wal' }))
    each((path, mode) =>
      sql(path, "UPDATE notes SET body = 'body first ' || body WHERE id = 7", `journal_mode=${mode}`),
    )
    expect(await checkAll(folder)).toEqual(sameForAll(modes, ['sound']))
    each((path, mode) =>
      sql(path, "UPDATE notes SET body = 'body again ' || body WHERE id = 8", `journal_mode=${mode}`),
    )
    expect(await checkAll(folder)).toEqual(sameForAll(modes, ['sound']))
    const commits = Array.from(
      { length: 5 },
      (_, i) => `UPDATE notes SET body = 'x' || body WHERE id = ${i + 1};`,
    ).join('')
    each((path, mode) => sql(path, commits, 'locking_mode=exclusive', `journal_mode=${mode}`))
    expect(await checkAll(folder)).toEqual(sameForAll(modes, ['sound']))
    each((path, mode) => sql(path, 'SELECT count(*) FROM notes', `journal_mode=${mode}`))
    each((path) => rot(path, 'body 300 '))
    expect(await checkAll(folder)).toEqual(sameForAll(modes, ['damaged', ...rotten]))
  },
)

describe('what is no rot', () => {
  const changes: readonly (readonly [string, (path: string, older: string) => unknown])[] = [
    [
      'an UPDATE that leaves the size as it was',
      (path) => sql(path, "UPDATE notes SET body = replace(body, 'body', 'BODY') WHERE id = 301"),
    ],
    ['VACUUM', (path) => sql(path, 'DELETE FROM notes WHERE id % 3 = 0; VACUUM')],
    ['VACUUM of what is dense already', (path) => sql(path, 'VACUUM')],
    ['an older copy, put back in place', (path, older) => copyFileSync(older, path)],
    ['an older copy, put back with its times', (path, older) => cpSync(older, path, { preserveTimestamps: true })],
    [
      'another file under the name',
      (path) => {
        makeDatabase(`${path}.new`, { rows: 500 })
        sql(
          `${path}.new`,
          "UPDATE notes SET body = 'other' || substr(body, 6) WHERE id = 301; UPDATE notes SET title = title",
        )
        renameSync(`${path}.new`, path)
      },
    ],
    [
      'moved away and back',
      (path) => {
        renameSync(path, `${path}.away`)
        renameSync(`${path}.away`, path)
      },
    ],
    ['a free page that changes', (path) => rot(path, 'gone gone gone')],
  ]
  test('writes of every kind, files that were put back, replaced or moved, and free pages', async () => {
    using folder = makeFolder()
    for (const name of ['files', 'older']) mkdirSync(folder.in(name))
    const names = changes.map(([name]) => name)
    for (const name of names) {
      const path = makeDatabase(folder.in(`files/${name}.db`), { rows: 500 })
      sql(
        path,
        "PRAGMA secure_delete=OFF; CREATE TABLE gone(x); INSERT INTO gone VALUES('gone gone gone'), " +
          '(randomblob(20000)); UPDATE gone SET x = x || zeroblob(9000) WHERE rowid = 1; DROP TABLE gone',
      )
      copyFileSync(path, folder.in(`older/${name}.db`))
      sql(path, "UPDATE notes SET body = 'now' || substr(body, 4) WHERE id = 9")
    }
    expect(await checkAll(folder)).toEqual(sameForAll(names, ['sound']))
    for (const [name, change] of changes) change(folder.in(`files/${name}.db`), folder.in(`older/${name}.db`))
    expect(await checkAll(folder)).toEqual(sameForAll(names, ['sound']))
    for (const name of names) rot(folder.in(`files/${name}.db`), 'body 400 ')
    expect(await checkAll(folder)).toEqual(sameForAll(names, ['damaged', ...rotten]))
  })

  test(
    'a restart of the machine is seen by the boot id: in WAL mode nothing ' +
      'is said, with a rollback journal the counter shows it',
    async () => {
      for (const wal of [false, true]) {
        using remembered = rememberedFile({ wal })
        const { folder, path, check } = remembered
        await check()
        sql(
          folder.in('ledger/ledger.db'),
          "UPDATE last_good SET facts = json_set(facts, '$.standing.bootId', 'another')",
        )
        rot(path, 'body 300 ')
        expect(said(await check())).toEqual(wal ? [] : rotten)
      }
    },
  )

  test(
    'a file that was put back and written to up to the same count, or ' +
      'written past SQLite, is reported once, as a notice, and is sound',
    async () => {
      using remembered = rememberedFile()
      const { folder, path, check } = remembered
      copyFileSync(path, folder.in('older.db'))
      sql(path, "UPDATE notes SET body = 'one' || substr(body, 4) WHERE id = 9")
      expect(said(await check())).toEqual([])
      copyFileSync(folder.in('older.db'), path)
      sql(path, "UPDATE notes SET body = 'two' || substr(body, 4) WHERE id = 9")
      const restored = await check()
      expect([shortVerdict(restored), said(restored), said(await check())]).toEqual(['sound', noticed, []])
      const page = flipBit(path, 'body 300 ')
      const past = await check()
      expect([shortVerdict(past), said(past), past.findings[0]?.page]).toEqual(['sound', noticed, page])
      expect(past.findings[0]?.text).toMatch(
        /change counter of SQLite is still \d+ \(a program wrote the file without SQLite, or/,
      )
      expect(said(await check())).toEqual([])
    },
  )

  test('digests of another kind, or of another holdfast, are never compared', async () => {
    using folder = makeFolder()
    mkdirSync(folder.in('files'))
    const others = { format: 99, groupPages: 2, pages: 3 }
    const names = Object.keys(others)
    for (const name of names) makeDatabase(folder.in(`files/${name}.db`), { rows: 500 })
    expect(await checkAll(folder)).toEqual(sameForAll(names, ['sound']))
    for (const [name, value] of Object.entries(others)) {
      sql(
        folder.in('ledger/ledger.db'),
        `UPDATE last_good SET facts = json_set(facts, '$.pages.${name}', ${value}) WHERE file LIKE '%/${name}.db%'`,
      )
      rot(folder.in(`files/${name}.db`), 'body 300 ')
    }
    expect(await checkAll(folder)).toEqual(sameForAll(names, ['sound']))
  })
})

test('sweeps of a service in WAL mode: what it writes is no rot, changes of an idle tenant are', async () => {
  await using service = await openService({
    tenants: (data) => {
      makeDatabase(join(data, 'busy.db'), { rows: 500, wal: true })
      makeDatabase(join(data, 'idle.db'), { rows: 500, wal: true })
      makeDatabase(join(data, 'journal.db'), { rows: 500 })
      return Object.fromEntries(['busy', 'idle', 'journal'].map((id) => [id, join(data, `${id}.db`)]))
    },
  })
  const sweep = async (): Promise<Record<string, readonly unknown[]>> => {
    const { results } = await reportOf(['sweep', '--config', service.config])
    return Object.fromEntries(results.map((result) => [String(result.tenant), said(result)]))
  }
  expect(await sweep()).toEqual({ busy: [], idle: [], journal: [] })
  for (let night = 0; night < 2; night++) {
    // Beside the service's own handle, as another of its requests: the WAL holds it until the tenant is closed.
    sql(
      join(service.data, 'busy.db'),
      `UPDATE notes SET body = 'night ${night} ' || substr(body, 9) WHERE id = 300; ` +
        `PRAGMA wal_checkpoint(${night === 0 ? 'TRUNCATE' : 'PASSIVE'})`,
    )
    sql(join(service.data, 'journal.db'), `UPDATE notes SET body = 'night ${night} ' || substr(body, 9) WHERE id = 300`)
    expect(await sweep()).toEqual({ busy: [], idle: [], journal: [] })
  }
  rot(join(service.data, 'idle.db'), 'body 300 ')
  rot(join(service.data, 'journal.db'), 'body 200 ')
  expect(await sweep()).toEqual({ busy: [], idle: rotten, journal: rotten })
  const history = await holdfast(['history', 'idle', '--config', service.config])
  expect(history.stdout).toMatch(/DAMAGED +table/)
  const status = await holdfast(['status', '--format', 'nagios', '--config', service.config])
  expect([status.code, status.stdout]).toEqual([2, expect.stringMatching(/DAMAGED 2: idle, journal/) as string])
})
