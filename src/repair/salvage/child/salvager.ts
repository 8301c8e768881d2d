/** Child side: salvages one file, in slices. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { recoveredName } from '../../../check/protocol.ts'
import { readLayout } from '../../../check/reader/pages/page-file.ts'
import { readSchemaRows } from '../../../check/reader/schema/schema-objects.ts'
import { foldedName } from '../../../check/reader/schema/sql-tokens.ts'
import type { DatabaseHeader } from '../../../sqlite/header.ts'
import { names } from '../protocol.ts'
import type { SalvageProgress } from '../protocol.ts'
import type { LostObject, SalvageResult, SalvagedTable } from '../salvage-result.ts'
import { PageAdoption, type Orphan, type WalkedTree } from './read/adopt-pages.ts'
import { DamagedFile, ownersBytesOf } from './read/damaged-file.ts'
import { guessHeader } from './read/guess-header.ts'
import { OverflowChains } from './read/payloads.ts'
import { walkTrees } from './read/walk-trees.ts'
import { fillSchema } from './schema/fill-schema.ts'
import { readDamagedSchema, type FoundSchema } from './schema/read-schema.ts'
import type { SchemaStatement } from './schema/schema-rows.ts'
import { readShapes, schemaShape } from './schema/schema-shapes.ts'
import { DoubtedRows } from './write/doubted-rows.ts'
import { FactsFile } from './write/facts-file.ts'
import { finishFile } from './write/finish-file.ts'
import { IndexRows } from './write/index-rows.ts'
import { NewFile } from './write/new-file.ts'
import { OrphanTables } from './write/orphan-tables.ts'
import { TableSalvage, type SalvageContext } from './write/table-salvage.ts'
import { UnknownRows } from './write/unknown-rows.ts'

type SalvagerResult = Omit<SalvageResult, 'file' | 'facts' | 'ms'>

/**
 * The schema of a sound database. `isUnchanged`: the header of the damaged file has the same schema cookie. It also
 * seems to be as new as the file: its page count is that of the file.
 */
interface Backup {
  readonly statements: readonly SchemaStatement[]
  readonly isUnchanged: boolean
}

export class Salvager implements Disposable {
  readonly #file: DamagedFile
  readonly #chains: OverflowChains
  readonly #folder: string
  readonly #backup: Backup
  #progress: SalvageProgress = { step: 'trees', done: 0, total: 1 }

  private constructor(folder: string, header: DatabaseHeader, backup: Backup) {
    this.#folder = folder
    this.#file = new DamagedFile(join(folder, recoveredName), header)
    this.#chains = new OverflowChains(this.#file)
    this.#backup = backup
  }

  /** @param hasSchema a sound database lies beside the damaged one @returns why nothing can be salvaged */
  static open(folder: string, hasSchema: boolean, memoryBytesMax: number): Salvager | string {
    const backupPath = join(folder, names.schema)
    const path = join(folder, recoveredName)
    const own = readLayout(path)
    const older = hasSchema ? readLayout(backupPath) : own
    const header =
      typeof own !== 'string' ? own.header : typeof older !== 'string' ? ofOtherFile(older.header) : guessHeader(path)
    if (header === null) return typeof own === 'string' ? own : 'nothing looks like a page'
    const { size } = statSync(path)
    const needed = ownersBytesOf(Math.ceil(size / header.pageSize))
    if (needed > memoryBytesMax / 2) return `the owner map of this file needs ${Math.ceil(needed / 1e6)} MB`
    const isUnchanged =
      typeof own !== 'string' &&
      typeof older !== 'string' &&
      own.header.schemaCookie === older.header.schemaCookie &&
      own.header.pageCountValid &&
      own.header.pageCount * own.header.pageSize === size
    return new Salvager(folder, header, { statements: hasSchema ? statementsOf(backupPath) : [], isUnchanged })
  }

  get progress(): SalvageProgress {
    return this.#progress
  }

  /**
   * Yields often. The last value is what was salvaged.
   * @param listDropped entries of indexes that no row agrees with are listed in the facts
   */
  *run(listDropped: boolean): Generator<void, SalvagerResult> {
    const file = this.#file
    const schema = this.#schema()
    const { statements, shapes, lost } = readShapes(schema.statements, file)
    this.#progress = { step: 'trees', done: 0, total: file.pages }
    const trees = yield* this.#counted(walkTrees(file, this.#chains, [schemaShape(file.encoding), ...shapes.values()]))
    const orphans = yield* new PageAdoption(file, this.#chains, trees).adopt(schema.isWhole && !lost.some(isTree))
    const header = { ...file.header, textEncoding: file.encoding }
    using newFile = new NewFile(join(this.#folder, names.result), header, statements, shapes)
    using facts = new FactsFile(join(this.#folder, names.facts), file.encoding)
    const unknown = new UnknownRows(file, this.#chains)
    const unknownPages = orphans.flatMap(({ page, tree }) => (tree === null ? [page] : []))
    const orphanTables = new OrphanTables(
      newFile,
      statements.map(({ name }) => name),
    )
    const to: SalvageContext = { file, chains: this.#chains, newFile, facts, orphans: orphanTables, trees, unknown }
    this.#progress = { step: 'rows', done: 0, total: file.pages }
    newFile.db.exec('BEGIN')
    const tables = yield* this.#counted(writeTables(to, trees, orphans))
    const unknownRows = unknown.write(unknownPages, to)
    newFile.db.exec('COMMIT')
    this.#progress = { step: 'indexes', done: 0, total: [...shapes.values()].filter(isIndex).length }
    const finished = yield* this.#counted(finishFile(to, header, statements, shapes, listDropped))
    const salvaged = tables.map((table) => salvagedTable(to, table))
    for (const [name, id] of orphanTables.madeForTables) facts.addMade(name, id)
    facts.end()
    return {
      tables: [...salvaged, ...(unknownRows === 0 ? [] : [unknownTable(orphanTables, unknownRows)])],
      lostObjects: eachOnce([...schema.lost, ...lost, ...finished.lost]),
      contradicted: finished.contradicted,
      pagesRead: file.pages - file.unread,
    }
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]()
  }

  /** The schema of the file; what it lacks comes from the backup, if there is one. */
  #schema(): FoundSchema {
    const found = readDamagedSchema(this.#file, this.#chains)
    const { statements, isUnchanged } = this.#backup
    return statements.length === 0 ? found : fillSchema(found, statements, isUnchanged)
  }

  *#counted<Value>(work: Generator<void, Value>): Generator<void, Value> {
    for (let next = work.next(); ; next = work.next()) {
      if (next.done === true) return next.value
      this.#progress = { ...this.#progress, done: Math.min(this.#progress.total, this.#progress.done + 1) }
      yield
    }
  }
}

/** What its free list had may be in use by now: what the damaged file has free is not known. */
const ofOtherFile = (header: DatabaseHeader): DatabaseHeader => ({
  ...header,
  freelistTrunk: 0,
  freelistCount: 0xffff_ffff,
})

/** Its pages have no owner, so they may look like those of another tree. */
const isTree = ({ kind }: LostObject): boolean => kind === 'table' || kind === 'index'

const isIndex = ({ kind }: { readonly kind: string }): boolean => kind === 'index'

/** Each object that has a name once, with all reasons. */
function eachOnce(lost: readonly LostObject[]): readonly LostObject[] {
  const byName = new Map<string, LostObject>()
  for (const [i, one] of lost.entries()) {
    const key = one.name === null ? String(i) : `${one.kind} ${foldedName(one.name)}`
    const before = byName.get(key)
    byName.set(key, before === undefined ? one : { ...before, why: `${before.why}; ${one.why}` })
  }
  return [...byName.values()]
}

/** A table of which rows were written. */
interface WrittenTable {
  readonly tree: WalkedTree
  readonly isComplete: boolean
}

function* writeTables(
  to: SalvageContext,
  trees: readonly WalkedTree[],
  orphans: readonly Orphan[],
): Generator<void, readonly WrittenTable[]> {
  const written: WrittenTable[] = []
  for (const tree of trees) {
    const { shape } = tree
    if (shape.kind === 'index' || shape.id === 0) continue
    to.facts.addTable(shape)
    const rows = new TableSalvage(to, tree)
    yield* rows.write()
    for (const orphan of orphans) if (orphan.tree === tree) rows.writeOrphan(orphan.page)
    const indexes = trees.filter(
      ({ shape: { kind, table }, isCertain }) => isCertain && kind === 'index' && table === shape.name,
    )
    const fromIndexes = new IndexRows(to, tree, indexes)
    yield* fromIndexes.rebuild(rows.written)
    const agreeing = yield* new DoubtedRows(to, tree, indexes).list()
    if (agreeing.length === 0) yield* fromIndexes.rebuildFromOthers()
    written.push({ tree, isComplete: fromIndexes.isNamedWholly(agreeing) })
  }
  return written
}

function salvagedTable({ facts, newFile, orphans }: SalvageContext, { tree, isComplete }: WrittenTable): SalvagedTable {
  const { shape } = tree
  const { orphaned, doubted, unreadable, fromIndex, lostRanges, pages } = facts.countsOf(shape)
  const rows = newFile.countRows(shape.name)
  facts.endTable(shape, rows, isComplete)
  return {
    table: shape.name,
    rows,
    fromIndex,
    orphaned,
    orphanedTable: orphans.nameOf(shape),
    doubted,
    unreadable,
    // A complete index names every row, so each of them is in the table or known to be lost.
    lostRanges: isComplete ? 0 : lostRanges,
    pages,
  }
}

const unknownTable = (orphans: OrphanTables, rows: number): SalvagedTable => {
  const name = orphans.nameOf(null) ?? ''
  return {
    table: name,
    rows: 0,
    fromIndex: 0,
    orphaned: rows,
    orphanedTable: name,
    doubted: 0,
    unreadable: 0,
    lostRanges: 0,
    pages: [],
  }
}

/** The schema of a sound database. */
function statementsOf(path: string): readonly SchemaStatement[] {
  const db = new Database(path, { readonly: true, fileMustExist: true })
  try {
    return readSchemaRows(db).map(({ type, name, tbl_name, rootpage, sql }) => ({
      type,
      name,
      table: tbl_name,
      root: rootpage ?? 0,
      sql,
    }))
  } finally {
    db.close()
  }
}
