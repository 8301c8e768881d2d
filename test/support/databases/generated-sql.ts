/** The statements that create the table and the indexes of a generated database. */

import type { GeneratedDatabase } from './generated-database.ts'

const strictTypes: Readonly<Record<string, string>> = {
  INTEGER: 'INTEGER',
  INT: 'INT',
  REAL: 'REAL',
  DOUBLE: 'REAL',
  TEXT: 'TEXT',
  BLOB: 'BLOB',
}

/** The declared type of a column. STRICT tables allow few types. */
export const typeOf = (shape: GeneratedDatabase, type: string): string =>
  shape.strict ? (strictTypes[type] ?? 'ANY') : type

/** Beside the key k and the column l the table has c0, c1 …, and then g if a column is generated. */
export function tableSql(shape: GeneratedDatabase): string {
  const [first = '', ...others] = columnsOf(shape)
  const rest = others.map((column) => `, ${column}`).join('')
  const constraint = shape.constraint ? ', UNIQUE(c0 COLLATE RTRIM, l DESC)' : ''
  const any = shape.strict ? 'ANY' : ''
  const text = shape.strict ? 'ANY' : 'TEXT'
  const { keyCollation } = shape
  const options = [...(shape.withoutRowid ? ['WITHOUT ROWID'] : []), ...(shape.strict ? ['STRICT'] : [])].join(', ')
  const table = (columns: string): string => `CREATE TABLE t(${columns}${constraint}) ${options}`
  const key = shape.key === 'rowid' && shape.withoutRowid ? 'integer' : shape.key
  switch (key) {
    case 'rowid':
      return table(`k ${any}, l ${any}, ${first}${rest}`)
    case 'integer':
      return table(`${first}, k INTEGER PRIMARY KEY, l ${any}${rest}`)
    // With DESC the column is not the rowid: an old mistake that SQLite keeps.
    case 'integer descending':
      return table(`${first}, k INTEGER PRIMARY KEY DESC, l ${any}${rest}`)
    case 'text':
      return table(`${first}, k ${text} COLLATE ${keyCollation}, l ${any}${rest}, PRIMARY KEY(k DESC)`)
    case 'pair':
      return table(`${first}, l ${any}, k ${any}${rest}, PRIMARY KEY(k COLLATE ${keyCollation}, l DESC)`)
  }
}

function columnsOf(shape: GeneratedDatabase): readonly string[] {
  const columns = shape.columns.map(({ type, collation }, i) => `c${i} ${typeOf(shape, type)} COLLATE ${collation}`)
  if (shape.generated === 'none') return columns
  const type = shape.strict ? 'ANY' : ''
  return [...columns, `g ${type} AS (coalesce(c0, 'x') || 'g') ${shape.generated.toUpperCase()}`]
}

export function indexSql(shape: GeneratedDatabase, i: number): string {
  const names = ['k', 'l', ...shape.columns.map((_, n) => `c${n}`), ...(shape.generated === 'none' ? [] : ['g'])]
  const index = shape.indexes[i]
  const parts = (index?.columns ?? []).map(({ column, collation, descending, expression }) => {
    const name = names[column % names.length] ?? 'k'
    return `${expression ? `hex(${name})` : name} COLLATE ${collation}${descending ? ' DESC' : ''}`
  })
  return (
    `CREATE ${index?.unique ? 'UNIQUE ' : ''}INDEX i${i} ON ` +
    `t(${parts.join(', ')})${index?.partial ? ' WHERE c0 IS NOT NULL' : ''}`
  )
}
