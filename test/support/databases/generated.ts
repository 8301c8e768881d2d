/** Arbitrary databases for property tests: every feature that the census must get right, small enough to shrink. */

import Database from 'better-sqlite3'
import * as fc from 'fast-check'

export interface GeneratedIndex {
  readonly columns: readonly {
    readonly column: number
    readonly collation: string
    readonly descending: boolean
    readonly expression: boolean
  }[]
  readonly unique: boolean
  readonly partial: boolean
}

export interface Generated {
  readonly pageSize: number
  readonly encoding: string
  readonly autoVacuum: string
  readonly withoutRowid: boolean
  readonly strict: boolean
  /** Is there an INTEGER PRIMARY KEY? For tables WITHOUT ROWID: how the key's first column is compared. */
  readonly key: 'rowid' | 'integer' | 'integer descending' | 'text' | 'pair'
  readonly keyCollation: string
  readonly columns: readonly { readonly type: string; readonly collation: string }[]
  readonly generated: 'none' | 'stored' | 'virtual'
  readonly indexes: readonly GeneratedIndex[]
  readonly rows: readonly (readonly GeneratedValue[])[]
  readonly added: { readonly type: string; readonly fallback: string } | null
  readonly later: readonly (readonly GeneratedValue[])[]
  readonly deleteEvery: number
  /** A UNIQUE constraint of the table, whose index has no statement of its own. */
  readonly constraint: boolean
  /**
   * Do the indexes that are partial or over expressions have strings in double quotes, as builds allow that take those
   * for strings?
   */
  readonly quoted: boolean
  /** What stands in the database beside the table; before it where SQLite's check may stumble over what is first. */
  readonly beside: readonly (typeof besides)[number][]
}

/** A view and fts5vocab make SQLite's check silently partial (check/README.md, blind spots). */
const besides = [
  'view',
  'fts5',
  'fts5vocab',
  'r-tree',
  'large values',
  'free pages',
  'nested views',
  'triggers',
  'long names',
] as const

export type GeneratedValue = null | bigint | number | string | Uint8Array

const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'a',
      'A',
      'b',
      'B ',
      'b',
      'abc',
      'ABC',
      'abc  ',
      '',
      ' ',
      'zebra',
      'Ångström',
      '日本',
      '😀 smile',
      '\u{10ffff}',
      '\uffee',
      'nul\0inside',
      'nul\0Inside',
    ),
  },
  { weight: 2, arbitrary: fc.string({ maxLength: 12 }) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 50, max: 3000 })
      .map((length) => 'long '.repeat(Math.ceil(length / 5)).slice(0, length)),
  },
)
const integer = fc.oneof(
  fc.integer({ min: -300, max: 300 }).map(BigInt),
  fc.constantFrom(
    0n,
    1n,
    -1n,
    127n,
    128n,
    32_767n,
    32_768n,
    8_388_608n,
    2_147_483_648n,
    -2_147_483_649n,
    140_737_488_355_328n,
    9_007_199_254_740_993n,
    9_223_372_036_854_775_807n,
    -9_223_372_036_854_775_808n,
  ),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
)
const real = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    0.5,
    1e10,
    1e18,
    2 ** 53,
    1.7976931348623157e308,
    5e-324,
    -1e300,
    2 ** 63,
    -(2 ** 63),
    140737488355328,
    1e15 + 0.5,
    NaN,
    Infinity,
    -Infinity,
  ),
  fc.double(),
)
const blob = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.integer({ min: 100, max: 2500 }).map((length) => new Uint8Array(length).fill(length & 255)),
)
const value: fc.Arbitrary<GeneratedValue> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: integer },
  { weight: 3, arbitrary: real },
  { weight: 4, arbitrary: text },
  { weight: 1, arbitrary: blob },
)

const collation = fc.constantFrom('BINARY', 'BINARY', 'NOCASE', 'RTRIM')
const type = fc.constantFrom('', 'INTEGER', 'REAL', 'TEXT', 'BLOB', 'NUMERIC', 'DOUBLE', 'FLOAT', 'INT')
const index: fc.Arbitrary<GeneratedIndex> = fc.record({
  columns: fc.array(
    fc.record({
      column: fc.nat({ max: 5 }),
      collation,
      descending: fc.boolean(),
      expression: fc.nat({ max: 9 }).map((n) => n === 0),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  unique: fc.nat({ max: 4 }).map((n) => n === 0),
  partial: fc.nat({ max: 5 }).map((n) => n === 0),
})

export const generated: fc.Arbitrary<Generated> = fc.record({
  pageSize: fc.constantFrom(512, 512, 1024, 4096, 65_536),
  encoding: fc.constantFrom('UTF-8', 'UTF-8', 'UTF-16le', 'UTF-16be'),
  autoVacuum: fc.constantFrom('NONE', 'NONE', 'INCREMENTAL'),
  withoutRowid: fc.nat({ max: 2 }).map((n) => n === 0),
  strict: fc.nat({ max: 5 }).map((n) => n === 0),
  key: fc.constantFrom('rowid', 'integer', 'integer descending', 'text', 'pair'),
  keyCollation: collation,
  columns: fc.array(fc.record({ type, collation }), { minLength: 1, maxLength: 4 }),
  generated: fc.constantFrom('none', 'none', 'stored', 'virtual'),
  indexes: fc.array(index, { minLength: 1, maxLength: 4 }),
  rows: fc.array(fc.array(value, { minLength: 6, maxLength: 6 }), { maxLength: 120 }),
  added: fc.option(
    fc.record({
      type,
      fallback: fc.constantFrom(
        "'none'",
        '7',
        '1.5',
        '3.0',
        '-2',
        "x'0102'",
        'NULL',
        '9007199254740993',
        "'12'",
        '1e3',
        'TRUE',
        '-0.0',
      ),
    }),
  ),
  later: fc.array(fc.array(value, { minLength: 6, maxLength: 6 }), { maxLength: 30 }),
  deleteEvery: fc.nat({ max: 7 }),
  constraint: fc.nat({ max: 3 }).map((n) => n === 0),
  quoted: fc.boolean(),
  beside: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.subarray([...besides]) }),
})

const strictType = (type: string): string =>
  (
    { INTEGER: 'INTEGER', INT: 'INT', REAL: 'REAL', DOUBLE: 'REAL', TEXT: 'TEXT', BLOB: 'BLOB' } as Record<
      string,
      string
    >
  )[type] ?? 'ANY'
const typeOf = (shape: Generated, type: string): string => (shape.strict ? strictType(type) : type)

/** Columns of the table beside the key: c0, c1 …, then g where one is generated. */
export function tableSql(shape: Generated): string {
  const columns = shape.columns.map(({ type, collation }, i) => `c${i} ${typeOf(shape, type)} COLLATE ${collation}`)
  if (shape.generated !== 'none')
    columns.push(`g ${shape.strict ? 'ANY' : ''} AS (coalesce(c0, 'x') || 'g') ${shape.generated.toUpperCase()}`)
  const constraint = shape.constraint ? ', UNIQUE(c0 COLLATE RTRIM, l DESC)' : ''
  const any = shape.strict ? 'ANY' : ''
  const options = [...(shape.withoutRowid ? ['WITHOUT ROWID'] : []), ...(shape.strict ? ['STRICT'] : [])].join(', ')
  const key = shape.key === 'rowid' && shape.withoutRowid ? 'integer' : shape.key
  switch (key) {
    case 'rowid':
      return `CREATE TABLE t(k ${any}, l ${any}, ${columns.join(', ')}${constraint}) ${options}`
    // With DESC it is no name for the rowid, by an old mistake of SQLite's that is kept.
    case 'integer descending':
    case 'integer':
      return `CREATE TABLE t(${columns[0]}, k INTEGER PRIMARY KEY${key === 'integer' ? '' : ' DESC'}, l ${any}${columns
        .slice(1)
        .map((column) => `, ${column}`)
        .join('')}${constraint}) ${options}`
    case 'text':
      return `CREATE TABLE t(${columns[0]}, k ${shape.strict ? 'ANY' : 'TEXT'} COLLATE ${shape.keyCollation}, l ${any}${columns
        .slice(1)
        .map((column) => `, ${column}`)
        .join('')}, PRIMARY KEY(k DESC)${constraint}) ${options}`
    case 'pair':
      return `CREATE TABLE t(${columns[0]}, l ${any}, k ${any}${columns
        .slice(1)
        .map((column) => `, ${column}`)
        .join('')}, PRIMARY KEY(k COLLATE ${shape.keyCollation}, l DESC)${constraint}) ${options}`
  }
}

export function indexSql(shape: Generated, i: number): string {
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

/**
 * Builds it. Rows that the constraints refuse are left out; indexes that would not be unique are made ordinary by being
 * left out as well.
 */
export function build(path: string, shape: Generated): void {
  const db = new Database(path)
  try {
    db.pragma(`page_size=${shape.pageSize}`)
    db.pragma(`encoding="${shape.encoding}"`)
    db.pragma(`auto_vacuum=${shape.autoVacuum}`)
    db.pragma('synchronous=OFF')
    for (const beside of shape.beside) makeBeside(db, beside)
    db.exec(tableSql(shape))
    const half = Math.ceil(shape.indexes.length / 2)
    shape.indexes.slice(0, half).forEach((_, i) => db.exec(indexSql(shape, i)))
    insert(db, shape, shape.rows, 1n)
    if (shape.deleteEvery > 1)
      db.exec(`DELETE FROM t WHERE abs(coalesce(CAST(k AS INTEGER), 1) % 1000) % ${shape.deleteEvery} = 1`)
    if (shape.added !== null) {
      try {
        db.exec(`ALTER TABLE t ADD COLUMN later ${typeOf(shape, shape.added.type)} DEFAULT ${shape.added.fallback}`)
        db.exec('CREATE INDEX i_later ON t(later)')
      } catch (error) {
        if (!(error instanceof Database.SqliteError)) throw error
      }
    }
    shape.indexes.slice(half).forEach((_, i) => {
      try {
        db.exec(indexSql(shape, half + i))
      } catch (error) {
        if (!(error instanceof Database.SqliteError)) throw error
      }
    })
    insert(db, shape, shape.later, 1_000_000n)
    try {
      db.exec("UPDATE t SET c0 = c0 || 'x' WHERE typeof(c0) = 'text'")
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error
    }
    if (shape.quoted) quoteStrings(db)
  } finally {
    db.close()
  }
}

/**
 * Statements that come to the same, as a build writes them that takes what stands in double quotes for a string: this
 * one would not.
 */
function quoteStrings(db: Database.Database): void {
  db.unsafeMode(true)
  db.pragma('writable_schema=ON')
  db.exec(
    `UPDATE sqlite_schema SET sql = replace(replace(sql, 'hex(', '"" || hex('), ' WHERE c0 IS ` +
      `NOT NULL', ' WHERE ("no column" || c0) IS NOT NULL') WHERE type = 'index'`,
  )
  db.pragma('writable_schema=RESET')
  db.unsafeMode(false)
}

function makeBeside(db: Database.Database, beside: Generated['beside'][number]): void {
  switch (beside) {
    case 'view':
      return void db.exec('CREATE VIEW first AS SELECT 1 AS one')
    case 'fts5':
      return void db.exec(
        "CREATE VIRTUAL TABLE notes USING fts5(title, body); INSERT INTO notes VALUES('one " +
          "title', 'the quick brown fox'), ('another', 'jumps over the lazy dog')",
      )
    case 'fts5vocab':
      return void db.exec(
        'CREATE VIRTUAL TABLE text USING fts5(body); CREATE VIRTUAL TABLE words USING ' +
          "fts5vocab(text, 'row'); INSERT INTO text VALUES('some words')",
      )
    case 'r-tree':
      return void db.exec(
        'CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1); INSERT INTO boxes VALUES(1, 0, 2), (2, 1, 5), (3, -7, 9)',
      )
    case 'large values':
      return void db.exec(
        'CREATE TABLE large(id INTEGER PRIMARY KEY, v); CREATE INDEX large_v ON large(v); INSERT ' +
          'INTO large(v) VALUES(zeroblob(9000)), (zeroblob(5000)), (zeroblob(70000))',
      )
    case 'nested views':
      db.exec('CREATE VIEW v0 AS SELECT 1 AS one')
      for (let i = 1; i <= 40; i++)
        db.exec(`CREATE VIEW v${i} AS SELECT * FROM v${i - 1} UNION ALL SELECT * FROM v${i - 1}`)
      return
    case 'triggers':
      return void db.exec(
        'CREATE TABLE told(n); CREATE TRIGGER tells AFTER INSERT ON told BEGIN DELETE FROM ' +
          'told WHERE n = new.n - 1; END; INSERT INTO told VALUES(1), (2)',
      )
    case 'long names':
      return void db.exec(
        `CREATE TABLE "${'n'.repeat(90_000)}"(a UNIQUE); CREATE INDEX "${'i'.repeat(40_000)}" ON ` +
          `"${'n'.repeat(90_000)}"(a); INSERT INTO "${'n'.repeat(90_000)}" VALUES(1)`,
      )
    case 'free pages':
      return void db.exec(
        'CREATE TABLE trash(v); INSERT INTO trash VALUES(zeroblob(20000)), (zeroblob(9000)); DROP TABLE trash',
      )
  }
}

function insert(db: Database.Database, shape: Generated, rows: Generated['rows'], from: bigint): void {
  const names = shape.columns.map((_, i) => `c${i}`)
  const put = db.prepare(
    `INSERT OR REPLACE INTO t(k, l, ${names.join(', ')}) VALUES(${['?', '?', ...names.map(() => '?')].join(', ')})`,
  )
  db.transaction(() => {
    for (const [i, row] of rows.entries()) {
      const key =
        shape.key === 'integer' || shape.key === 'integer descending' || (shape.key === 'rowid' && shape.withoutRowid)
          ? typeof row[0] === 'bigint'
            ? row[0]
            : from + BigInt(i)
          : (row[0] ?? from + BigInt(i))
      try {
        put.run(key, row[1] ?? 0n, ...row.slice(2, 2 + names.length))
      } catch (error) {
        if (!(error instanceof Database.SqliteError)) throw error
      }
    }
  })()
}
