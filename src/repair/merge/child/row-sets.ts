/**
 * Child side: statements about the rows of one table on both sides. `b` is a row of the result (at first the backup's),
 * `n` one of the newer side, `w` what was decided about a key.
 */

import { invariant } from '../../../model/bug.ts'
import { quoted, storedColumns } from './side-tables.ts'
import type { Side, SideTable } from './side-tables.ts'

/** What becomes of a row. Rows that are equal on both sides are not listed, unless an index contradicts them. */
export const deeds = {
  /** Only the newer side has it, and the result gets it. */
  added: 1,
  /** Both have it, and the newer version stays. */
  newer: 2,
  /** The newer side has deleted it. */
  deleted: 3,
  /** Only the backup has it, and it stays. */
  returned: 4,
  /** The backup's version stays, though the newer side has, or had, another one. */
  older: 5,
  /** Only indexes or lost pages know it. */
  unreadable: 6,
  /** Not in the result, because of a UNIQUE constraint. */
  notUnique: 8,
  /** Not in the result, because the row that a foreign key names is not in it. */
  noParent: 9,
} as const

/** Which side has the row as such: in a table, readable. */
export const sides = { none: 0, newer: 1, backup: 2, both: 3 } as const

/** The names of the key of a row: of its rowid, or of the columns of its primary key. */
export class RowSets {
  readonly table: SideTable
  /** The table of decisions about its keys. */
  readonly work: string
  readonly #index: number

  /** @param index tells the tables of the work file apart */
  constructor(table: SideTable, index: number) {
    invariant(table.key.length > 0 || table.rowid !== null, `rows of ${table.name} have a name`)
    this.table = table
    this.work = `work.w${index}`
    this.#index = index
  }

  /** Makes the table of decisions. `loose`: bits of foreign keys that name no row on the row's own side. */
  decisions(): string {
    return this.keyTable('w', ', what INTEGER NOT NULL, side INTEGER NOT NULL, loose INTEGER NOT NULL DEFAULT 0').sql
  }

  /** A table of keys in the work file, with these columns beside the key. */
  keyTable(prefix: string, columns: string): { readonly name: string; readonly sql: string } {
    const name = `work.${prefix}${this.#index}`
    const { key } = this.table
    const parts = key.map(({ affinity, collation }, i) => `k${i} ${affinity} COLLATE ${quoted(collation)}`)
    const primary = `PRIMARY KEY(${this.workKey('').join(', ')})`
    const sql =
      key.length === 0
        ? `CREATE TABLE ${name}(k INTEGER PRIMARY KEY${columns})`
        : `CREATE TABLE ${name}(${parts.join(', ')}${columns}, ${primary}) WITHOUT ROWID`
    return { name, sql }
  }

  of(side: Side): string {
    return `${side}.${quoted(this.table.name)}`
  }

  /** The key of a row in a table of this alias. */
  key(alias: string): readonly string[] {
    const { key, rowid } = this.table
    return key.length === 0 ? [`${alias}.${rowid}`] : key.map(({ name }) => `${alias}.${quoted(name)}`)
  }

  /** The key in a table of the work file. */
  workKey(alias: string): readonly string[] {
    const dot = alias === '' ? '' : `${alias}.`
    const { key } = this.table
    return key.length === 0 ? [`${dot}k`] : key.map((_, i) => `${dot}k${i}`)
  }

  /** Two keys are the same. Collations as the primary key has them. */
  sameKey(left: readonly string[], right: readonly string[]): string {
    const { key } = this.table
    return left
      .map((one, i) => {
        const collation = key[i]?.collation
        return `${one} = ${right[i]}${collation === undefined ? '' : ` COLLATE ${quoted(collation)}`}`
      })
      .join(' AND ')
  }

  /** Two rows hold the same values of the same types. */
  sameContent(): string {
    const same = storedColumns(this.table).map((name) => {
      const [n, b] = [`n.${quoted(name)}`, `b.${quoted(name)}`]
      return `${n} IS ${b} COLLATE BINARY AND typeof(${n}) = typeof(${b})`
    })
    return same.length === 0 ? '1' : allOf(same)
  }

  /**
   * Copies rows of the newer side, with their rowids.
   * @param or what to do with a conflict @param from the statement from `FROM` on
   */
  insertFromNewer(or: 'REPLACE' | 'IGNORE' | 'ABORT', from: string): string {
    const { key, hasAlias, rowid } = this.table
    const columns = storedColumns(this.table).map(quoted)
    const withRowid = key.length === 0 && !hasAlias && rowid !== null
    const names = withRowid ? [rowid, ...columns] : columns
    const values = names.map((name) => `n.${name}`)
    return `INSERT OR ${or} INTO ${this.of('main')}(${names.join(', ')}) SELECT ${values.join(', ')} ${from}`
  }
}

/** All terms in pairs of pairs: SQLite refuses a chain of 1000, and a table may have 2000 columns. */
function allOf(terms: readonly string[]): string {
  if (terms.length === 1) return terms.join('')
  const middle = terms.length >> 1
  return `(${allOf(terms.slice(0, middle))}) AND (${allOf(terms.slice(middle))})`
}
