/**
 * Child side: makes an R-Tree anew from the leaves that can be read (sqlite.org/rtree.html, section 6). An R-Tree is no
 * index: its nodes hold the only copy of the coordinates.
 */
import Database from 'better-sqlite3'
import { quoteName } from '../../../../check/reader/sqlite/open-database.ts'
import type { SchemaStatement } from '../schema/schema-rows.ts'
import { forgetVirtualTable } from './forget-virtual-table.ts'
import type { SalvageContext } from './table-salvage.ts'

/** Bytes of a coordinate, and of the beginning of a node. */
const coordinateBytes = 4
const nodeHeaderBytes = 4

interface Box {
  readonly id: bigint
  readonly coordinates: readonly number[]
  readonly others: readonly unknown[]
}

/** @returns what was lost, in words; null if nothing was */
export function rebuildRTree({ newFile, facts }: SalvageContext, { name, sql }: SchemaStatement): string | null {
  const { db } = newFile
  try {
    const columns = columnsOf(name, sql ?? '')
    const rowids = quoteName(`${name}_rowid`)
    const known = db.prepare(`SELECT * FROM ${rowids}`).raw().safeIntegers().all() as (readonly unknown[])[]
    const others = Math.max(0, (known[0]?.length ?? 2) - 2)
    const { boxes, unnamed } = readBoxes(
      db,
      name,
      known,
      columns - 1 - others,
      /using\s+["'`[]?rtree_i32/i.test(sql ?? ''),
    )
    dropBroken(db, name)
    db.exec(sql ?? '')
    const put = db.prepare(`INSERT INTO ${quoteName(name)} VALUES(${Array(columns).fill('?').join(', ')})`)
    db.transaction(() => {
      for (const { id, coordinates, others: values } of boxes) put.run([id, ...coordinates, ...values])
    })()
    const found = new Set(boxes.map(({ id }) => id))
    const lost = known.flatMap(([id]) => (typeof id === 'bigint' && !found.has(id) ? [id] : []))
    facts.addVirtualTable(name, boxes.length, [
      ...lost.map((rowid) => ({ rowid, why: 'its box cannot be read' })),
      ...[...unnamed].map(([rowid, box]) => ({
        rowid,
        why: `its box is [${box.join(', ')}], and its row of ids is lost`,
      })),
    ])
    const nameless = unnamed.size === 0 ? '' : `; ${unnamed.size} have lost their row of ids, and the account has them`
    return `${boxes.length} of its boxes could be read; ${lost.length} more are known by their id${nameless}`
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error
    return `it is broken and could not be made anew: ${error.message}`
  }
}

/** The broken tree may refuse to be opened, so an empty one is asked. */
function columnsOf(name: string, sql: string): number {
  const scratch = new Database(':memory:')
  try {
    scratch.exec(sql)
    return scratch.prepare<[string], number>('SELECT count(*) FROM pragma_table_info(?)').pluck().get(name) ?? 0
  } finally {
    scratch.close()
  }
}

/** SQLite drops no virtual table that it cannot open. Without its row of the schema, its tables are ordinary ones. */
function dropBroken(db: Database.Database, name: string): void {
  forgetVirtualTable(db, name)
  for (const part of ['node', 'parent', 'rowid']) db.exec(`DROP TABLE IF EXISTS ${quoteName(`${name}_${part}`)}`)
}

interface FoundBoxes {
  readonly boxes: readonly Box[]
  /**
   * Coordinates of boxes of which the table of ids says nothing. They may be true rows, or what an old or broken node
   * holds: nothing breaks the tie.
   */
  readonly unnamed: ReadonlyMap<bigint, readonly number[]>
}

/** Boxes on the leaves. A box counts if the table of ids says that it lies there. */
function readBoxes(
  db: Database.Database,
  name: string,
  known: readonly (readonly unknown[])[],
  coordinates: number,
  isInteger: boolean,
): FoundBoxes {
  const byId = new Map(known.map((row) => [row[0] as bigint, row]))
  const isLeaf = leafFinder(db, name, known)
  const unnamed = new Map<bigint, readonly number[]>()
  const cellBytes = 8 + coordinateBytes * coordinates
  const boxes = new Map<bigint, Box>()
  const nodes = db
    .prepare(`SELECT nodeno, data FROM ${quoteName(`${name}_node`)}`)
    .raw()
    .safeIntegers()
  for (const [node, data] of nodes.iterate() as Iterable<readonly [bigint, unknown]>) {
    if (!isLeaf(node) || !(data instanceof Uint8Array) || data.length < nodeHeaderBytes) continue
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const cells = Math.min(view.getUint16(2, false), Math.floor((data.length - nodeHeaderBytes) / cellBytes))
    for (let i = 0; i < cells; i++) {
      const at = nodeHeaderBytes + i * cellBytes
      const id = view.getBigInt64(at, false)
      const row = byId.get(id)
      if (row !== undefined && row[1] !== node) continue
      const values = Array.from({ length: coordinates }, (_, k) => {
        const from = at + 8 + k * coordinateBytes
        return isInteger ? view.getInt32(from, false) : view.getFloat32(from, false)
      })
      if (row !== undefined) boxes.set(id, { id, coordinates: values, others: row.slice(2) })
      else if (isBox(values)) unnamed.set(id, values)
    }
  }
  return { boxes: [...boxes.values()], unnamed }
}

/** A node is a leaf if the table of ids names it, or if it has a parent and is none itself. */
function leafFinder(
  db: Database.Database,
  name: string,
  known: readonly (readonly unknown[])[],
): (node: bigint) => boolean {
  const named = new Set(known.map((row) => row[1]))
  const links = db
    .prepare(`SELECT nodeno, parentnode FROM ${quoteName(`${name}_parent`)}`)
    .raw()
    .safeIntegers()
  const all = links.all() as (readonly [unknown, unknown])[]
  const children = new Set(all.map(([node]) => node))
  const parents = new Set(all.map(([, parent]) => parent))
  const root = 1n
  return (node) => named.has(node) || (!parents.has(node) && (children.has(node) || node === root))
}

/** Each dimension has its least coordinate first. */
const isBox = (coordinates: readonly number[]): boolean =>
  coordinates.every((value, i) => Number.isFinite(value) && (i % 2 === 0 || (coordinates[i - 1] ?? value) <= value))
