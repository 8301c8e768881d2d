/**
 * The facts of a salvage: a SQLite file, because a damaged table may have millions of keys. A child writes it; the
 * merge reads it in a child of its own, attached as `facts`.
 */

/**
 * `lost_rowids`: no readable page covers the rowids from `low` to `high` (both included). A row with such a rowid may
 * have been there. A rowid outside of all ranges that the new file lacks was not in the table.
 *
 * `lost_keys`: the same for tables WITHOUT ROWID, and both bounds are excluded. A bound is the JSON array of the key
 * columns in the order of the primary key (RowKey in model/result/finding.ts); NULL: no bound.
 *
 * `keys`: rows by key. `kind` is `unreadable` (known to a cell or an index, not in the new file), `orphaned`, or
 * `from-index` (in the table). `key` is JSON (RowKey); `rowid` is the same for tables with rowids, else NULL. An
 * unreadable key that lies in no lost range belongs to a cell that cannot be read.
 */
export const factsSchema = `
  CREATE TABLE tables(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, keyed INTEGER NOT NULL, rows INTEGER NOT NULL);
  CREATE TABLE lost_rowids(table_id INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, page INTEGER);
  CREATE TABLE lost_keys(table_id INTEGER NOT NULL, low TEXT, high TEXT, page INTEGER);
  CREATE TABLE keys(table_id INTEGER NOT NULL, kind TEXT NOT NULL, rowid_ INTEGER, key TEXT NOT NULL, page INTEGER,
    why TEXT NOT NULL);
  CREATE TABLE pages(table_id INTEGER NOT NULL, page INTEGER NOT NULL, why TEXT NOT NULL);
`
