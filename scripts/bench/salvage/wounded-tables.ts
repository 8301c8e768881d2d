/** Databases whose rows are all known, and wounds of their tables. A seed decides everything. */
import { closeSync, copyFileSync, ftruncateSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'

export interface TableOfBench {
  readonly name: string
  /** Columns of the primary key of a table WITHOUT ROWID; null for a table with rowids. */
  readonly primaryKey: readonly string[] | null
  readonly columns: readonly string[]
  /** Column that is the rowid, or null. */
  readonly rowidColumn: string | null
}

export const benchTables: readonly TableOfBench[] = [
  { name: 'events', primaryKey: null, columns: ['id', 'kind', 'at', 'weight', 'note'], rowidColumn: 'id' },
  { name: 'notes', primaryKey: null, columns: ['title', 'body'], rowidColumn: null },
  { name: 'pairs', primaryKey: ['a', 'b'], columns: ['a', 'b', 'c'], rowidColumn: null },
]

/** Rows were deleted from it, and SQLite did not zero them: a careless tool brings them back. */
export function makeWholeTables(file: string, pageSize: number, rows: number): void {
  const database = new Database(file)
  try {
    for (const pragma of [`page_size = ${pageSize}`, 'secure_delete = off', 'journal_mode = off', 'synchronous = off'])
      database.pragma(pragma)
    database.exec(`
      create table events (id integer primary key, kind text not null, at integer, weight real, note text);
      create index events_kind on events (kind);
      create unique index events_at on events (at);
      create table notes (title text, body blob);
      create index notes_title on notes (title);
      create table pairs (a text, b integer, c text, primary key (a, b)) without rowid;
      create index pairs_c on pairs (c)`)
    const event = database.prepare('insert into events values (?, ?, ?, ?, ?)')
    const note = database.prepare('insert into notes (rowid, title, body) values (?, ?, ?)')
    const pair = database.prepare('insert into pairs values (?, ?, ?)')
    database.transaction(() => {
      for (let i = 1; i <= rows; i++) {
        event.run(i * 3, `kind ${i % 17}`, (i * 7919) % 1_000_003, i / 8, `note ${i} ${'x'.repeat(i % 60)}`)
        pair.run(`a${i % 31}`, i, `value ${(i * 31) % 9973}`)
        // Every eighth has a body on pages of its own, never of zeros: what a tool fills in for a lost page is no row.
        if (i % 4 === 0) note.run(i, `title ${i}`, Buffer.alloc(i % 32 === 0 ? pageSize * 3 : 40, 1 + (i % 255)))
      }
      database.exec('delete from events where id % 33 = 0; delete from pairs where b % 29 = 0')
      database.exec(`delete from events where id between ${rows} and ${rows + rows / 10}`)
    })()
  } finally {
    database.close()
  }
}

export const tableWounds = [
  'leaf zeroed',
  'leaf of random bytes',
  'leaf of another table',
  'half of a leaf zeroed',
  'eight pages zeroed',
  'interior page zeroed',
  'root zeroed',
  'overflow page zeroed',
  'overflow chain cut',
  'cell pointers garbled',
  'page type garbled',
  'cell count garbled',
  'record header garbled',
  'child pointer garbled',
  'end of the file cut off',
] as const
export type TableWoundName = (typeof tableWounds)[number]

interface Page {
  readonly table: string
  readonly page: number
  readonly kind: string
}

/** The pages of the tables, without those of indexes. */
export function pagesOfTables(file: string): readonly Page[] {
  const database = new Database(file, { readonly: true })
  try {
    const names = benchTables.map(({ name }) => name)
    return database
      .prepare<[], Page>('select name as "table", pageno as page, pagetype as kind from dbstat order by path')
      .all()
      .filter(({ table }) => names.includes(table))
  } finally {
    database.close()
  }
}

/** Copies a whole database and wounds the copy. @returns what was done; null if it has no such page */
export function woundTable(
  whole: string,
  file: string,
  wound: TableWoundName,
  pages: readonly Page[],
  random: (below: number) => number,
): string | null {
  copyFileSync(whole, file)
  const table = benchTables[random(benchTables.length)]?.name
  const of = (kind: string): readonly Page[] => pages.filter((one) => one.kind === kind && one.table === table)
  const any = (kind: string): readonly Page[] => pages.filter((one) => one.kind === kind)
  const pick = (all: readonly Page[]): Page | undefined => all[random(all.length)]
  const descriptor = openSync(file, 'r+')
  try {
    const header = Buffer.alloc(100)
    readSync(descriptor, header, 0, 100, 0)
    const pageSize = header.readUInt16BE(16)
    const read = (page: number): Buffer => {
      const bytes = Buffer.alloc(pageSize)
      readSync(descriptor, bytes, 0, pageSize, (page - 1) * pageSize)
      return bytes
    }
    const write = (page: number, bytes: Uint8Array): void =>
      void writeSync(descriptor, bytes, 0, bytes.length, (page - 1) * pageSize)
    const edit = (one: Page | undefined, change: (bytes: Buffer) => void): string | null => {
      if (one === undefined) return null
      const bytes = read(one.page)
      change(bytes)
      write(one.page, bytes)
      return `${wound}: page ${one.page} of ${one.table}`
    }
    const randomBytes = (bytes: Buffer, from: number, to: number): void => {
      for (let at = from; at < to; at++) bytes[at] = random(256)
    }
    switch (wound) {
      case 'leaf zeroed':
        return edit(pick(of('leaf')), (bytes) => bytes.fill(0))
      case 'leaf of random bytes':
        return edit(pick(of('leaf')), (bytes) => randomBytes(bytes, 0, bytes.length))
      case 'leaf of another table': {
        const other = pick(pages.filter((one) => one.kind === 'leaf' && one.table !== table))
        return edit(pick(of('leaf')), (bytes) => void read(other?.page ?? 2).copy(bytes))
      }
      case 'half of a leaf zeroed':
        return edit(pick(of('leaf')), (bytes) => bytes.fill(0, bytes.length / 2))
      case 'eight pages zeroed': {
        const first = random(Math.max(1, fstatSync(descriptor).size / pageSize - 10)) + 2
        for (let page = first; page < first + 8; page++) write(page, Buffer.alloc(pageSize))
        return `${wound}: from page ${first}`
      }
      case 'interior page zeroed':
        return edit(pick(any('internal')), (bytes) => bytes.fill(0))
      case 'root zeroed':
        return edit(
          pages.find((one) => one.table === table),
          (bytes) => bytes.fill(0),
        )
      case 'overflow page zeroed':
        return edit(pick(any('overflow')), (bytes) => bytes.fill(0))
      case 'overflow chain cut':
        return edit(pick(any('overflow')), (bytes) => bytes.writeUInt32BE(0, 0))
      case 'cell pointers garbled':
        return edit(pick(of('leaf')), (bytes) => randomBytes(bytes, 8, 14))
      case 'page type garbled':
        return edit(pick(of('leaf')), (bytes) => bytes.writeUInt8(random(256), 0))
      case 'cell count garbled':
        return edit(pick(of('leaf')), (bytes) => bytes.writeUInt16BE(40_000 + random(20_000), 3))
      case 'record header garbled':
        return edit(pick(of('leaf')), (bytes) => garbleRecord(bytes, random))
      case 'child pointer garbled':
        return edit(pick(any('internal')), (bytes) => bytes.writeUInt32BE(1 + random(1e6), bytes.readUInt16BE(12)))
      case 'end of the file cut off': {
        const left = Math.floor((fstatSync(descriptor).size / pageSize) * (0.6 + random(35) / 100))
        ftruncateSync(descriptor, left * pageSize)
        return `${wound}: ${left} pages are left`
      }
    }
  } finally {
    closeSync(descriptor)
  }
}

/** Makes the length of the header of one record impossible. */
function garbleRecord(bytes: Buffer, random: (below: number) => number): void {
  const at = bytes.readUInt16BE(8 + 2 * random(bytes.readUInt16BE(3)))
  // After the varints of length and rowid, each of one to three bytes here.
  let header = at
  const varints = bytes[0] === 13 ? 2 : 1
  for (let passed = 0; passed < varints; header++) if ((bytes[header] ?? 0) < 128) passed++
  bytes[header] = 120
}
