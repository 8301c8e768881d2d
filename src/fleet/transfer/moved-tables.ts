/**
 * The tables that move to another database. Slots of pauses do not: they belong to the database that gave them out.
 * Jobs do not either: the coordinator feeds the chunks that are left again.
 */

export interface MovedTable {
  readonly name: string
  /** Columns of the primary key with their types, in order. */
  readonly key: readonly (readonly [column: string, type: 'text' | 'date' | 'integer'])[]
  /** Rows in one statement. */
  readonly pageRows: number
}

const pageRows = 1000
/** A row may hold a whole report. */
const resultPageRows = 100

/** What stops pauses comes first: it must count before anything else can happen. */
export const movedTables: readonly MovedTable[] = [
  { name: 'breaker', key: [['scope', 'text']], pageRows },
  { name: 'breaker_closed', key: [['scope', 'text']], pageRows },
  { name: 'host', key: [['name', 'text']], pageRows },
  { name: 'place', key: textColumns('host', 'service', 'tenant', 'path'), pageRows },
  { name: 'content', key: textColumns('host', 'service', 'tenant', 'path', 'table_name'), pageRows },
  { name: 'run', key: [['id', 'text']], pageRows },
  { name: 'run_host', key: textColumns('run', 'host'), pageRows },
  { name: 'chunk', key: [...textColumns('run', 'host'), ['chunk', 'integer']], pageRows },
  { name: 'told', key: textColumns('kind', 'subject', 'since'), pageRows },
  {
    name: 'result',
    key: [['week', 'date'], ...textColumns('run', 'host', 'tenant', 'path'), ['attempt', 'integer']],
    pageRows: resultPageRows,
  },
]

function textColumns(...columns: readonly string[]): MovedTable['key'] {
  return columns.map((column) => [column, 'text'] as const)
}

/** How many rows of each table were moved. */
export type MovedRows = Readonly<Record<string, number>>

/** The first line of the file. */
export interface TransferHead {
  readonly schema: typeof transferSchema
  /** Of our tables. */
  readonly version: number
  readonly exportedAt: string
}

/** The last line. A file without it is not whole. */
export interface TransferEnd {
  readonly end: true
  readonly rows: MovedRows
  /** Of all lines before this one, with their line breaks. */
  readonly sha256: string
}

export interface TransferRow {
  readonly table: string
  readonly row: Readonly<Record<string, unknown>>
}

export const transferSchema = 'holdfast.fleet-export/1'
