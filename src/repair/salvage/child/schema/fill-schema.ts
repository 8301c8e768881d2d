/** Child side: statements of a backup take the place of those that the damaged file lost, or that SQLite refuses. */
import { foldedName } from '../../../../check/reader/schema/sql-tokens.ts'
import type { LostObject } from '../../salvage-result.ts'
import type { FoundSchema } from './read-schema.ts'
import type { DamagedStatement, SchemaStatement } from './schema-rows.ts'
import { isRooted, kindOf, refusedStatements } from './schema-shapes.ts'

/**
 * @param backup the schema of a sound backup
 * @param isUnchanged the header says that the schema has not changed since: if nothing contradicts it, the trees of the
 * backup begin where they began there
 * @returns the schema as it is if SQLite takes all of it. A refused statement is replaced, and the tree stays the one
 * that its row names. If objects are missing, or a refused one has no counterpart, what only the backup has is added.
 */
export function fillSchema(found: FoundSchema, backup: readonly SchemaStatement[], isUnchanged: boolean): FoundSchema {
  if (found.isWhole && refusedStatements(found.statements).size === 0) return found
  const older = new Map(backup.map((statement) => [foldedName(statement.name), statement]))
  const lost: LostObject[] = []
  const areRootsCertain = isUnchanged && agrees(found, backup)
  // Tables and views first, those of the backup among them: without its table, SQLite refuses an index too.
  const owners = replaceRefused(found.statements, isOwner, older, lost)
  const isMissing =
    !found.isWhole || [...refusedStatements(owners).keys()].some(({ name }) => !older.has(foldedName(name)))
  const added = (statements: readonly SchemaStatement[], isTurn: typeof isOwner): readonly SchemaStatement[] =>
    isMissing ? addMissing(statements, backup.filter(isTurn), areRootsCertain, lost) : statements
  const all = added(replaceRefused(added(owners, isOwner), isOwned, older, lost), isOwned)
  if (lost.length === 0) return found
  // SQLite must know a table before it can read what belongs to it.
  const statements = [...all.filter(isTable), ...all.filter((one) => !isTable(one))]
  return { ...found, statements, isWhole: false, lost: [...found.lost, ...lost] }
}

/** @param backup those that are added, if there are none of their names that SQLite takes @param lost gets those */
function addMissing(
  statements: readonly SchemaStatement[],
  backup: readonly SchemaStatement[],
  areRootsCertain: boolean,
  lost: LostObject[],
): readonly SchemaStatement[] {
  const refused = refusedStatements(statements)
  const known = new Set(statements.filter((one) => !refused.has(one)).map(({ name }) => foldedName(name)))
  const missing = backup.filter(({ name }) => !known.has(foldedName(name)))
  const why = 'its row of the schema was lost; the statement is that of the backup'
  for (const statement of missing) lost.push({ kind: kindOf(statement), name: statement.name, why, ofBackup: true })
  const names = new Set(missing.map(({ name }) => foldedName(name)))
  return [
    ...statements.filter(({ name }) => !names.has(foldedName(name))),
    ...missing.map((one): SchemaStatement => (areRootsCertain ? one : { ...one, rootOfBackup: true })),
  ]
}

/** True if the backup has all that can be read of the damaged schema. The header may be older than the rest. */
function agrees({ statements, damaged }: FoundSchema, backup: readonly SchemaStatement[]): boolean {
  const isIn = (one: DamagedStatement): boolean => backup.some(({ root, sql }) => root === one.root && sql === one.sql)
  return [...statements, ...damaged].every(isIn)
}

const isTable = ({ type }: SchemaStatement): boolean => type === 'table'

/** Other objects belong to it. */
const isOwner = ({ type }: SchemaStatement): boolean => type === 'table' || type === 'view'

const isOwned = (statement: SchemaStatement): boolean => !isOwner(statement)

/** @param isTurn only these are replaced @param lost gets those that were */
function replaceRefused(
  statements: readonly SchemaStatement[],
  isTurn: (statement: SchemaStatement) => boolean,
  older: ReadonlyMap<string, SchemaStatement>,
  lost: LostObject[],
): readonly SchemaStatement[] {
  const refused = refusedStatements(statements)
  return statements.map((statement) => {
    const reason = refused.get(statement)
    const other = older.get(foldedName(statement.name))
    if (reason === undefined || !isTurn(statement) || other?.type !== statement.type) return statement
    if (other.sql === statement.sql && other.table === statement.table) return statement
    lost.push({ kind: kindOf(other), name: other.name, why: `${reason}; the statement is that of the backup` })
    return { ...other, root: isRooted(other) ? statement.root : 0 }
  })
}
