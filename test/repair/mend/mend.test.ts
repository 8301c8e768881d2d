/** What the mending process does and refuses, how it is confined, and what is left if it ends early: nothing. */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { confinedUser } from '../../../src/check/confinement.ts'
import { Failure } from '../../../src/model/failure.ts'
import { Mender, type MendResult, type MendRequest } from '../../../src/repair/mend/mend.ts'
import { untilSeen } from '../../support/coincidence.ts'
import { recipes } from '../../support/databases/recipes.ts'
import { differencesOf, examine } from '../../support/remedies/contents.ts'
import { bySql, hideFromIndex, zeroLeaf, zeroRoot } from '../../support/remedies/object-wounds.ts'
import { useRehearsals } from '../../support/remedies/rehearsal-fixture.ts'
import { limits } from '../../support/snapshot-folder.ts'

const place = useRehearsals()
const user = confinedUser()
const isRoot = process.getuid?.() === 0

function mend(request: Partial<MendRequest>, memoryBytesMax = limits.memoryBytesMax): Promise<MendResult> {
  return new Mender(place.folder, user, { ...limits, memoryBytesMax }).mend({
    from: { path: place.path, kept: null },
    mending: { do: 'rebuild', indexes: ['notes_title'], fts: [] },
    way: 'in-place',
    doubtful: [],
    to: { mended: join(place.folder, 'out.db'), dropped: join(place.folder, 'out.dropped') },
    signal: new AbortController().signal,
    onStep: () => {},
    ...request,
  })
}

function build(rows: number, more = ''): void {
  const db = new Database(place.path)
  db.pragma('synchronous=OFF')
  db.exec(`CREATE TABLE notes(id INTEGER PRIMARY KEY, title TEXT); CREATE INDEX notes_title ON notes(title); ${more}`)
  const put = db.prepare('INSERT INTO notes VALUES(?,?)')
  db.transaction(() => {
    for (let i = 1; i <= rows; i++) put.run(i, `title ${(i * 7919) % 100_003} ${'x'.repeat(60)}`)
  })()
  db.close()
}

/** Mending children of this process. */
const menders = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').join(' ')
        return words.trimEnd().endsWith(`mender-child.js ${process.pid}`)
      } catch {
        return false // Gone since.
      }
    })

const isConfined = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8').includes('Seccomp:\t2')
  } catch {
    return false // Gone since.
  }
}

/** A busy machine may look too late: then it is mended once more. */
async function whileMending(work: (pid: number) => void, request: Partial<MendRequest> = {}): Promise<unknown> {
  for (;;) {
    const others = menders()
    const over = new AbortController()
    const mending = mend(request)
      .catch((error: unknown) => error)
      .finally(() => over.abort())
    while (!over.signal.aborted) {
      const pid = menders().find((one) => !others.includes(one))
      if (pid !== undefined && isConfined(pid)) {
        work(pid)
        return mending
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    rmSync(request.to?.mended ?? join(place.folder, 'out.db'))
  }
}

test('the process that mends is confined like one that reads', async () => {
  build(200_000)
  let seen: readonly unknown[] = []
  const mended = await whileMending((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    seen = [
      /^NoNewPrivs:\t(\d)$/m.exec(status)?.[1],
      /^Uid:\t(\d+)/m.exec(status)?.[1],
      /^Max processes +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1],
      isRoot ? readlinkSync(`/proc/${pid}/root`).includes('sandbox-') : true,
    ]
  })
  expect(mended).toMatchObject({ kind: 'mended' })
  expect(seen).toEqual(['1', String(user?.uid ?? process.getuid?.()), '0', true])
  const { uid, mode, nlink } = statSync(join(place.folder, 'out.db'))
  expect([uid, mode & 0o777, nlink]).toEqual([process.getuid?.(), 0o600, 1])
  expect(examine(join(place.folder, 'out.db')).integrity).toEqual([])
})

test('a process that is killed says nothing of the file, and leaves nothing', async () => {
  build(200_000)
  const to = otherNames('killed')
  await untilSeen('it is killed before it has mended', async () => {
    const ended = await whileMending((pid) => process.kill(pid, 'SIGKILL'), { to })
    if (ended instanceof Failure) expect(ended.code).toBe('READ_FAILED')
    else rmSync(to.mended)
    return ended instanceof Failure
  })
  expect(existsSync(to.mended)).toBe(false)
})

test('an interruption ends it immediately, and leaves nothing', async () => {
  build(200_000)
  const controller = new AbortController()
  const reason = new Error('enough')
  const { signal } = controller
  const ended = await whileMending(() => controller.abort(reason), { signal, to: otherNames('aborted') })
  expect([ended, existsSync(otherNames('aborted').mended), menders()]).toEqual([reason, false, []])
})

test('more memory than it may is a failure that names check.memory', async () => {
  build(400_000) // Memory is measured every 200 ms: mending must take longer.
  // Each process has more than that: how much this one needs, and when, does not matter.
  await expect(mend({ to: otherNames('memory') }, 1_000_000)).rejects.toMatchObject({
    code: 'READ_FAILED',
    hint: expect.stringContaining('check.memory') as string,
  })
})

test('rows that share the key of a unique index are a refusal, whichever way is taken', async () => {
  build(
    200,
    'CREATE TABLE users(id INTEGER PRIMARY KEY, mail TEXT); CREATE UNIQUE INDEX users_mail ON users(mail);' +
      "INSERT INTO users(mail) VALUES('a'),('b'),('c'),('d'),('e'),('f'),('g'),('h')",
  )
  hideFromIndex('users', 'users_mail', 'mail')(place.path)
  for (const way of ['in-place', 'rewritten'] as const) {
    const refused = await mend({
      way,
      mending: { do: 'rebuild', indexes: ['users_mail'], fts: [] },
      to: otherNames(way),
    })
    expect(refused).toMatchObject({
      kind: 'refused',
      corrupt: false,
      why: expect.stringContaining('users_mail') as string,
    })
    expect(existsSync(otherNames(way).mended)).toBe(false)
  }
  const rehearsed = await place.rehearse({ do: 'rebuild', indexes: ['users_mail'], fts: [] })
  expect(rehearsed).toMatchObject({ kind: 'refused', failure: { code: 'REMEDY_REFUSED' } })
  expect(place.leftovers().filter((name) => name.startsWith('mended-'))).toEqual([])
})

test.each([
  ['a table without text', "CREATE VIRTUAL TABLE ft USING fts5(body, content='')", 'stores no text'],
  ['a table without text of FTS4', 'CREATE VIRTUAL TABLE ft USING fts4(content="", body)', 'stores no text'],
  ['no full-text table', 'CREATE TABLE ft(body)', 'no full-text table'],
])('%s is refused with the reason', async (_, sql, why) => {
  build(10, sql)
  expect(await mend({ mending: { do: 'rebuild', indexes: [], fts: ['ft'] }, to: otherNames('text') })).toMatchObject({
    kind: 'refused',
    why: expect.stringContaining(why) as string,
  })
})

test.each([
  ['fts5', "fts5(title, content='notes', content_rowid='id')"],
  ['fts4', 'fts4(content="notes", title)'],
])('external content of %s is taken from the table that it names', async (module, using) => {
  build(20, `CREATE VIRTUAL TABLE ft USING ${using}`)
  bySql("INSERT INTO ft(ft) VALUES('rebuild')")(place.path)
  const before = examine(place.path).contents
  bySql(module === 'fts5' ? 'DELETE FROM ft_data WHERE id > 10' : 'DELETE FROM ft_segdir')(place.path)
  const mended = await mend({ mending: { do: 'rebuild', indexes: [], fts: ['ft'] }, to: otherNames(module) })
  expect(mended).toMatchObject({ kind: 'mended', texts: [{ name: 'ft', source: 'notes' }] })
  const after = examine(otherNames(module).mended)
  expect([after.integrity, after.contents.tables.get('ft')]).toEqual([[], before.tables.get('ft')])
})

test.each([
  ['an index', 'plain', ['events_kind'], zeroRoot('events_kind')],
  [
    'an automatic index',
    'strict, with checks and foreign keys',
    ['sqlite_autoindex_parents_1'],
    zeroLeaf('sqlite_autoindex_parents_1'),
  ],
  ['an index of an auto-vacuum file', 'auto-vacuum full', ['events_kind'], zeroRoot('events_kind')],
  ['an index of a table WITHOUT ROWID', 'without rowid', ['pairs_c'], zeroRoot('pairs_c')],
  ['the tables of FTS5', 'fts5', [], zeroRoot('notes_data')],
  ['the tables of FTS4', 'fts4 and fts3', [], zeroRoot('old_segments')],
] as const)(
  '%s whose tree is lost is left out of a rewritten file, and filled there',
  async (_, name, indexes, wound) => {
    recipes.find((recipe) => recipe.name === name)?.build(place.path, 1024)
    const before = examine(place.path).contents
    try {
      wound(place.path)
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('no object')) return // This recipe has no such index.
      throw error
    }
    const fts = indexes.length > 0 ? [] : [name === 'fts5' ? 'notes' : 'old']
    const to = otherNames(`rewritten-${name.replaceAll(/\W/g, '')}`)
    expect(await mend({ mending: { do: 'rebuild', indexes, fts }, way: 'rewritten', to })).toMatchObject({
      kind: 'mended',
    })
    const { contents, integrity } = examine(to.mended)
    const derived = /_(?:data|idx|docsize|segments|segdir|stat)\b/
    expect([integrity, differencesOf(before, contents).filter((line) => !derived.test(line))]).toEqual([[], []])
  },
)

const otherNames = (name: string): MendRequest['to'] => ({
  mended: join(place.folder, `${name}.db`),
  dropped: join(place.folder, `${name}.dropped`),
})
