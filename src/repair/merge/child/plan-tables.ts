/** Child side: decides what becomes of each table, from the schemas of both sides. */

import { foldedName } from '../../../check/reader/schema/sql-tokens.ts'
import { isShadow } from '../../../check/reader/schema/virtual-table-module.ts'
import type { SideColumn, SideTable } from './side-tables.ts'

/**
 * `rows`: merged row by row. `carry`: only the newer side has it, and the result gets it. `drop`: only the backup has
 * it, and the newer side had dropped it. `keep`: only the backup has it, and it stays. `apart`: both have it with other
 * columns; the backup's stays, and the rows of the newer side go to a table beside it. `leave`: the salvage has made it
 * for rows that fit no table; they never get into the result.
 */
type TableAction = 'rows' | 'carry' | 'drop' | 'keep' | 'apart' | 'leave'

export interface PlannedTable {
  readonly action: TableAction
  /** In reports: for the content of a full-text table, that table. */
  readonly name: string
  /** The table of the backup; null if it has none. */
  readonly older: SideTable | null
  readonly newer: SideTable | null
  /** True if the newer side has added columns: the table of the backup gets them first. */
  readonly hasMoreColumns: boolean
  /** The full-text table whose content this is; null for other tables. */
  readonly textOf: SideTable | null
}

/**
 * A virtual table whose data is no rows of its own. `rebuild`: a full-text index that is made anew from its text.
 * `stored`: it has no text, so the data of one side stays whole.
 */
export interface PlannedVirtual {
  readonly action: 'rebuild' | 'stored'
  readonly older: SideTable | null
  readonly newer: SideTable | null
  /** Names of the tables that hold its data. */
  readonly shadows: readonly string[]
}

export interface MergePlan {
  readonly tables: readonly PlannedTable[]
  readonly virtual: readonly PlannedVirtual[]
  /** Whose indexes, views, triggers and settings the result has. */
  readonly schemaOf: 'newer' | 'backup'
}

type Tables = ReadonlyMap<string, SideTable>

/** @param newer without the tables that the salvage has made itself @param unowned those with rows that fit no table */
export function planMerge(
  older: Tables,
  newer: Tables,
  unowned: readonly SideTable[],
  schemaIsWhole: boolean,
): MergePlan {
  const pairs = pairsOf(older, newer)
  const virtual = pairs.flatMap((pair) => planVirtual(pair, pairs))
  const shadows = new Set(pairs.flatMap((pair) => shadowsOf(pair, pairs)))
  const tables = pairs.filter(({ name }) => !shadows.has(name)).flatMap((pair) => planTable(pair, pairs, schemaIsWhole))
  const schemaOf = schemaIsWhole && tables.every(({ action }) => action !== 'apart') ? 'newer' : 'backup'
  return { tables: [...tables, ...unowned.map(leave)], virtual, schemaOf }
}

const leave = (table: SideTable): PlannedTable => ({
  action: 'leave',
  name: table.name,
  older: null,
  newer: table,
  hasMoreColumns: false,
  textOf: null,
})

/** One table of both sides. */
interface Pair {
  /** Folded. */
  readonly name: string
  readonly older: SideTable | null
  readonly newer: SideTable | null
}

const pairsOf = (older: Tables, newer: Tables): readonly Pair[] =>
  [...new Set([...older.keys(), ...newer.keys()])].map((name) => ({
    name,
    older: older.get(name) ?? null,
    newer: newer.get(name) ?? null,
  }))

const moduleIn = ({ older, newer }: Pair): string | null => (newer ?? older)?.module?.toLowerCase() ?? null

/** Folded names of the tables that hold the data of a virtual table. */
const shadowsOf = (pair: Pair, pairs: readonly Pair[]): readonly string[] =>
  moduleIn(pair) === null
    ? []
    : pairs
        .map(({ name }) => name)
        .filter(
          (name) => name.startsWith(`${pair.name}_`) && isShadow(moduleIn(pair), name.slice(pair.name.length + 1)),
        )

/** Of a full-text table, the rows of its content table are merged. If its content is elsewhere, it has no rows. */
function planTable(pair: Pair, pairs: readonly Pair[], schemaIsWhole: boolean): readonly PlannedTable[] {
  const module = moduleIn(pair)
  const table = pair.newer ?? pair.older
  if (table === null) return []
  if (module === null || isSpatial(module)) return [decide(pair, schemaIsWhole, null)]
  const content = pairs.find(({ name }) => name === `${pair.name}_content`)
  return content === undefined ? [] : [decide(content, schemaIsWhole, table)]
}

function decide({ older, newer }: Pair, schemaIsWhole: boolean, textOf: SideTable | null): PlannedTable {
  const name = (textOf ?? newer ?? older)?.name ?? ''
  const planned = (action: TableAction, hasMoreColumns = false): PlannedTable => ({
    action,
    name,
    older,
    newer,
    hasMoreColumns,
    textOf,
  })
  if (older === null) return planned('carry')
  if (newer === null) return planned(schemaIsWhole ? 'drop' : 'keep')
  if (!sameKeys(older, newer)) return planned('apart')
  if (sameColumns(older.columns, newer.columns)) return planned('rows')
  return isAlteredOnly(older, newer) ? planned('rows', true) : planned('apart')
}

function planVirtual(pair: Pair, pairs: readonly Pair[]): readonly PlannedVirtual[] {
  const { older, newer } = pair
  const module = moduleIn(pair)
  const table = newer ?? older
  if (module === null || table === null || isSpatial(module)) return []
  return [{ action: hasText(table) ? 'rebuild' : 'stored', older, newer, shadows: shadowsOf(pair, pairs) }]
}

const sameKeys = (a: SideTable, b: SideTable): boolean =>
  a.module === b.module &&
  a.hasAlias === b.hasAlias &&
  a.key.length === b.key.length &&
  a.key.every((part, i) => {
    const other = b.key[i]
    return (
      foldedName(part.name) === foldedName(other?.name ?? '') &&
      part.collation.toLowerCase() === other?.collation.toLowerCase() &&
      part.descending === other.descending
    )
  })

const sameColumns = (a: readonly SideColumn[], b: readonly SideColumn[]): boolean =>
  a.length === b.length && startsWith(a, b)

const startsWith = (columns: readonly SideColumn[], first: readonly SideColumn[]): boolean =>
  first.every((one, i) => {
    const other = columns[i]
    return (
      other !== undefined &&
      foldedName(one.name) === foldedName(other.name) &&
      one.type.toLowerCase() === other.type.toLowerCase() &&
      one.notNull === other.notNull &&
      one.hidden === other.hidden
    )
  })

/** True if ALTER TABLE ADD COLUMN can have made `newer` of `older`. Older rows then have the defaults. */
const isAlteredOnly = (older: SideTable, newer: SideTable): boolean =>
  older.module === null &&
  newer.columns.length > older.columns.length &&
  startsWith(newer.columns, older.columns) &&
  newer.columns
    .slice(older.columns.length)
    .every(
      ({ notNull, defaultSql, hidden }) =>
        hidden === 2 || (hidden === 0 && (!notNull || (defaultSql !== null && !/^null$/i.test(defaultSql)))),
    )

/** An R-Tree is read and written through its own module. */
const isSpatial = (module: string): boolean => ['rtree', 'rtree_i32', 'geopoly'].includes(module)

/** False if it is declared with `content=''`: it then stores no text, and nothing can make its index anew. */
const hasText = ({ sql }: SideTable): boolean => !/[(,\s]content\s*=\s*(?:''|""|,|\))/i.test(sql)
