/** Child side: the tables of the new file for rows that are in no table (`holdfast_orphaned_TABLE`). */
import { foldedName } from '../../../../check/reader/schema/sql-tokens.ts'
import { quoteName } from '../../../../check/reader/sqlite/open-database.ts'
import type { StoredRow } from '../read/cell-rows.ts'
import type { StoredValue } from '../read/record-header.ts'
import type { TreeShape } from '../read/shape.ts'
import { BoundValues } from './bound-values.ts'
import type { NewFile } from './new-file.ts'

const prefix = 'holdfast_orphaned'

interface OrphanTable {
  readonly name: string
  readonly insert: BoundValues
  /** Number of columns behind the page and the rowid. */
  readonly columns: number
  /** Position of the INTEGER PRIMARY KEY; -1 if the rowid has a column of its own. */
  readonly alias: number
}

export class OrphanTables {
  readonly #file: NewFile
  readonly #names: Set<string>
  readonly #tables = new Map<number, OrphanTable>()
  /** Most columns of a row that fits no table. */
  columnsOfUnknown = 1

  /** @param names of the schema */
  constructor(file: NewFile, names: readonly string[]) {
    this.#file = file
    this.#names = new Set(names.map(foldedName))
  }

  /** @param shape null for a row that fits no table */
  add(
    shape: TreeShape | null,
    page: number,
    { rowid, values, texts }: Pick<StoredRow, 'rowid' | 'values' | 'texts'>,
  ): void {
    const id = shape?.id ?? 0
    const table = this.#tables.get(id) ?? this.#create(shape)
    this.#tables.set(id, table)
    const hasRowid = table.alias < 0 && shape?.kind !== 'keyed-table'
    const row: StoredValue[] = [BigInt(page), ...(hasRowid ? [rowid] : [])]
    const front = '-'.repeat(row.length)
    for (let i = 0; i < table.columns; i++) row.push(i === table.alias ? rowid : (values[i] ?? null))
    table.insert.runRaw(row, front + texts.padEnd(table.columns, '-'))
  }

  nameOf(shape: TreeShape | null): string | null {
    return this.#tables.get(shape?.id ?? 0)?.name ?? null
  }

  /** The tables that were made for rows of a table of the schema, and the ids of their shapes. */
  get madeForTables(): readonly (readonly [name: string, id: number])[] {
    return [...this.#tables].flatMap(([id, { name }]) => (id === 0 ? [] : [[name, id] as const]))
  }

  #create(shape: TreeShape | null): OrphanTable {
    const name = free(shape === null ? prefix : `${prefix}_${shape.name}`, this.#names)
    const columns =
      shape === null
        ? Array.from({ length: this.columnsOfUnknown }, (_, i) => `c${i}`)
        : shape.columns.map((column) => column.name)
    const alias = shape?.alias ?? -1
    const taken = new Set(columns.map(foldedName))
    const added = alias >= 0 || shape?.kind === 'keyed-table' ? ['page'] : ['page', 'rowid_']
    const all = [...added.map((column) => free(column, taken)), ...columns]
    this.#file.createOrphanTable(name, all)
    const insert = new BoundValues(this.#file.db, `INSERT INTO ${quoteName(name)} VALUES`, all.length)
    return { name, insert, columns: columns.length, alias }
  }
}

/** A name that nothing has yet. */
function free(wanted: string, taken: Set<string>): string {
  let name = wanted
  for (let i = 2; taken.has(foldedName(name)); i++) name = `${wanted}_${i}`
  taken.add(foldedName(name))
  return name
}
