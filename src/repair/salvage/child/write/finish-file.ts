/** Child side: gives the new file its schema, and builds its indexes. Rows that contradict a UNIQUE index are moved. */
import Database from 'better-sqlite3'
import { quoteName } from '../../../../check/reader/sqlite/open-database.ts'
import type { DatabaseHeader } from '../../../../sqlite/header.ts'
import type { LostObject, SalvageResult } from '../../salvage-result.ts'
import { listDroppedEntries } from '../entries/dropped-by-salvage.ts'
import { isFailedFunction } from '../entries/match-entries.ts'
import { moveContradicting, notMoved } from '../entries/unique-rows.ts'
import type { TreeShape } from '../read/shape.ts'
import type { SchemaStatement } from '../schema/schema-rows.ts'
import { isRooted } from '../schema/schema-shapes.ts'
import type { SalvageContext } from './table-salvage.ts'
import { mendVirtualTables } from './virtual-tables.ts'

export interface FinishResult {
  readonly lost: readonly LostObject[]
  readonly contradicted: SalvageResult['contradicted']
}

type Shapes = ReadonlyMap<SchemaStatement, TreeShape>

/** Yields after each index. @param statements of the new file */
export function* finishFile(
  to: SalvageContext,
  header: DatabaseHeader,
  statements: readonly SchemaStatement[],
  shapes: Shapes,
  listDropped: boolean,
): Generator<void, FinishResult> {
  const { newFile } = to
  newFile.show('tables')
  if (listDropped) yield* listAllDropped(to)
  const lost: LostObject[] = []
  const contradicted: FinishResult['contradicted'][number][] = []
  let indexes = [...shapes].filter(([, { kind }]) => kind === 'index')
  for (let tries = 0; tries < triesMax; tries++) {
    const built = new Map<SchemaStatement, BuildOutcome>()
    for (const [statement] of indexes) {
      built.set(statement, buildIndex(newFile.db, statement.name))
      yield
    }
    const unbuildable = indexes.filter(([statement]) => built.get(statement)?.kind === 'not-possible')
    for (const [statement] of unbuildable) lost.push(lostIndex(statement, built.get(statement)))
    newFile.dropIndexes(unbuildable.map(([statement]) => statement))
    indexes = indexes.filter((index) => !unbuildable.includes(index))
    const violated = indexes.filter(([statement]) => built.get(statement)?.kind === 'violated')
    if (violated.length === 0) break
    for (const [statement, shape] of violated) {
      const { name, table } = statement
      const owner = [...shapes.values()].find(({ kind, name: of }) => kind !== 'index' && of === shape.table)
      const moved = owner === undefined ? notMoved : yield* moveContradicting(to, owner, shape)
      if (moved.rows > 0) contradicted.push({ index: name, table, ...moved })
      else {
        lost.push({ kind: 'index', name, why: 'rows contradict it, and no statement can name these rows' })
        newFile.dropIndexes([statement])
        indexes = indexes.filter(([one]) => one !== statement)
      }
    }
  }
  newFile.show('whole')
  lost.push(
    ...mendVirtualTables(
      to,
      statements.filter((statement) => !isRooted(statement)),
    ),
  )
  setPragmas(newFile.db, header)
  return { lost, contradicted }
}

/** Rows that were moved may leave others that contradict: each try finds fewer. */
const triesMax = 5

function* listAllDropped(to: SalvageContext): Generator<void> {
  for (const index of to.trees) {
    const table = to.trees.find(({ shape: { kind, name } }) => kind !== 'index' && name === index.shape.table)
    if (index.isCertain && index.shape.kind === 'index' && table !== undefined)
      yield* listDroppedEntries(to, table.shape, index)
  }
}

type BuildOutcome =
  | { readonly kind: 'built' | 'violated' }
  /** It has a function or a collation that this SQLite does not know. */
  | { readonly kind: 'not-possible'; readonly why: string }

function buildIndex(db: Database.Database, name: string): BuildOutcome {
  try {
    db.exec(`REINDEX ${quoteName(name)}`)
    return { kind: 'built' }
  } catch (error) {
    if (isFailedFunction(error)) return { kind: 'not-possible', why: error.message }
    if (!(error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT'))) throw error
    return { kind: 'violated' }
  }
}

const lostIndex = ({ name }: SchemaStatement, built: BuildOutcome | undefined): LostObject => ({
  kind: 'index',
  name,
  why: `it cannot be built by this SQLite: ${built?.kind === 'not-possible' ? built.why : 'no reason is known'}`,
})

/** What the header says beside the schema. */
function setPragmas(db: Database.Database, header: DatabaseHeader): void {
  db.exec(`PRAGMA user_version=${header.userVersion}; PRAGMA application_id=${header.applicationId | 0}`)
  // The mode is in the header. Closing the file removes the WAL that this makes.
  if (header.writeVersion === 2) db.exec('PRAGMA journal_mode=WAL; SELECT 1 FROM sqlite_schema')
}
