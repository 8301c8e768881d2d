/**
 * Child side: compares and merges a table by content. Only for tables without any index whose rowids are not the same
 * on both sides: VACUUM gives such a table new ones.
 */

import type Database from 'better-sqlite3'
import type { ComparedRows } from './decide-by-key.ts'
import { deeds, sides } from './row-sets.ts'
import type { RowSets } from './row-sets.ts'
import { quoted, storedColumns } from './side-tables.ts'
import type { KnownLosses } from './table-facts.ts'

/** True if most rows that both sides have under one rowid are not the same. @throws what SQLite throws */
export function hasNewRowids(db: Database.Database, rows: RowSets): boolean {
  if (rows.table.keepsRowids) return false
  // With a LIMIT the rows are compared first: SQLite takes the sum of terms with no more than 2000 columns.
  const { same, other } = db
    .prepare<[], { readonly same: number | null; readonly other: number | null }>(
      `SELECT sum(same) AS same, sum(NOT same) AS other FROM (SELECT (${rows.sameContent()}) AS same
        FROM ${rows.of('newer')} n JOIN ${rows.of('main')} b ON ${rows.sameKey(rows.key('b'), rows.key('n'))}
        LIMIT -1)`,
    )
    .get() ?? { same: 0, other: 0 }
  return (other ?? 0) > (same ?? 0)
}

/**
 * Rows with the same values form pairs. A row that only the backup has comes back if anything of the table was lost. It
 * then gets a rowid behind all others (`k`); `old` is the one that it had.
 */
export function decideByContent(db: Database.Database, rows: RowSets, facts: KnownLosses): ComparedRows {
  const columns = storedColumns(rows.table).map(quoted)
  const values = columns.flatMap((column) => [`${column} COLLATE BINARY`, `typeof(${column})`]).join(', ')
  const [b, n] = [rows.key('b')[0], rows.key('n')[0]]
  const both = `SELECT ${sides.backup} AS side_, ${b} AS row_, ${columns.join(', ')} FROM ${rows.of('main')} b
    UNION ALL SELECT ${sides.newer}, ${n}, ${columns.join(', ')} FROM ${rows.of('newer')} n`
  db.exec(`CREATE TABLE ${rows.work}(k INTEGER, what INTEGER, side INTEGER, loose INTEGER, old INTEGER);
    INSERT INTO ${rows.work} SELECT coalesce(n_, b_),
        CASE WHEN b_ IS NULL THEN ${deeds.added} WHEN n_ IS NULL THEN ${onlyInBackup(facts)} ELSE 0 END,
        CASE WHEN b_ IS NULL THEN ${sides.newer} WHEN n_ IS NULL THEN ${sides.backup} ELSE ${sides.both} END, 0, b_
      FROM (SELECT max(CASE side_ WHEN ${sides.backup} THEN row_ END) AS b_,
          max(CASE side_ WHEN ${sides.newer} THEN row_ END) AS n_
        FROM (SELECT *, row_number() OVER (PARTITION BY side_, ${values} ORDER BY row_) AS copy_ FROM (${both}))
        GROUP BY ${values}, copy_)`)
  const count = (from: string): number => db.prepare<[], number>(`SELECT count(*) FROM ${from}`).pluck().get() ?? 0
  const together = count(rows.work)
  const unreadable = count(facts.unreadable)
  db.exec(`DELETE FROM ${rows.work} WHERE what = 0;
    UPDATE ${rows.work} AS w SET k = o.place + (SELECT max(coalesce((SELECT max(${rows.table.rowid}) FROM
          ${rows.of('main')}), 0), coalesce((SELECT max(${rows.table.rowid}) FROM ${rows.of('newer')}), 0)))
      FROM (SELECT rowid AS id, row_number() OVER (ORDER BY old) AS place FROM ${rows.work}
        WHERE what = ${deeds.returned}) o WHERE w.rowid = o.id;
    INSERT INTO ${rows.work} SELECT k, ${deeds.unreadable}, ${sides.none}, 0, NULL FROM ${facts.unreadable};
    CREATE INDEX work.by_${rows.work.slice(rows.work.indexOf('.') + 1)} ON
      ${rows.work.slice(rows.work.indexOf('.') + 1)}(what, k)`)
  return {
    inBackup: count(rows.of('main')),
    inNewer: count(rows.of('newer')),
    unreadable,
    union: together + unreadable,
  }
}

const onlyInBackup = ({ isWhole }: KnownLosses): number => (isWhole ? deeds.deleted : deeds.returned)

/** The rows of the newer side keep their rowids, and those that come back follow them. */
export function writeContents(db: Database.Database, rows: RowSets): void {
  const columns = storedColumns(rows.table).map(quoted)
  const saved = rows.work.replace('.w', '.r')
  const names = columns.map((_, i) => `c${i}`).join(', ')
  db.exec(`CREATE TABLE ${saved}(k INTEGER PRIMARY KEY, ${names});
    INSERT INTO ${saved} SELECT w.k, ${columns.map((column) => `b.${column}`).join(', ')}
      FROM ${rows.work} w JOIN ${rows.of('main')} b ON ${rows.key('b')[0]} = w.old WHERE w.what = ${deeds.returned};
    DELETE FROM ${rows.of('main')};
    ${rows.insertFromNewer('ABORT', `FROM ${rows.of('newer')} n`)};
    INSERT INTO ${rows.of('main')}(${rows.table.rowid}, ${columns.join(', ')}) SELECT * FROM ${saved};
    DROP TABLE ${saved}`)
}
