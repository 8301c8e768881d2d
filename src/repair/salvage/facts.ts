/**
 * The facts of a salvage: a SQLite file, because a damaged table may have millions of keys. A child writes it; the
 * merge reads it in a child of its own. Its encoding is that of the new file, so that both can be attached together.
 */

/**
 * What became of a row. `unreadable`: a cell or an index knows its key, and it is not in the new file. `orphaned`: it
 * is in `holdfast_orphaned_TABLE`. `from-index`: it is in the table, rebuilt wholly from entries of indexes. `doubted`:
 * it is in the table, and no index has its values; for an account also if one of several has others.
 */
export type KeyKind = 'unreadable' | 'orphaned' | 'from-index' | 'doubted'

/**
 * `tables`: `keyed` is 1 for WITHOUT ROWID. `rows`: in the table of the new file. `complete`: 1 if an index that could
 * be read completely names every row, and agrees with each row of the new file. Then a key that neither the table nor
 * `keys` has was not in the table.
 *
 * `lost_rowids`: no readable page covers the rowids from `low` to `high` (both included). A row with such a rowid may
 * have been there. `known` is 1 if `keys` has every row of the range. A rowid outside of all ranges that the new file
 * lacks was not in the table.
 *
 * `lost_keys`: the same for tables WITHOUT ROWID, and both bounds are excluded. A bound is the JSON array of the key
 * columns in the order of the primary key (RowKey in model/result/finding.ts), for reports; NULL: no bound. For each
 * such table `lost_ID(id, low, high, l0, ..., h0, ...)` has the exact values. `id` is the rowid in `lost_keys`, and
 * `low` and `high` are 1 if there is such a bound.
 *
 * `keys`: rows by key. `page` of an orphaned row is NULL if the row was moved out of its table, because another one has
 * its UNIQUE key. `key` is JSON (RowKey), for reports. `rowid_` is the exact rowid, NULL in tables WITHOUT ROWID. For
 * these `keys_ID(id, k0, ...)` has the exact values; `id` is the rowid in `keys`.
 *
 * `made`: tables of the new file that the salvage made itself, for rows that are in no table. Names cannot tell: the
 * damaged file may have had tables of such names. `table_id`: the table whose rows they are. Rows that fit no table
 * have an entry of their own in `tables`, with the name of the table that was made for them.
 *
 * `dropped`: entries of indexes that no row of the new file agrees with (DroppedEntry in model/result/account.ts, as
 * JSON). For an account only.
 *
 * `known`: values that entries of indexes hold of unreadable rows. `key_id` is the rowid in `keys`, `cid` as in
 * `pragma table_xinfo`.
 */
export const factsSchema = `
  CREATE TABLE tables(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, keyed INTEGER NOT NULL, rows INTEGER NOT NULL,
    complete INTEGER NOT NULL);
  CREATE TABLE lost_rowids(table_id INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, page INTEGER,
    known INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE lost_keys(table_id INTEGER NOT NULL, low TEXT, high TEXT, page INTEGER,
    known INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE keys(table_id INTEGER NOT NULL, kind TEXT NOT NULL, rowid_ INTEGER, key TEXT NOT NULL, page INTEGER,
    why TEXT NOT NULL);
  CREATE TABLE made(name TEXT NOT NULL UNIQUE, table_id INTEGER NOT NULL);
  CREATE TABLE known(table_id INTEGER NOT NULL, key_id INTEGER NOT NULL, cid INTEGER NOT NULL, value);
  CREATE TABLE dropped(table_id INTEGER NOT NULL, entry TEXT NOT NULL);
  CREATE TABLE pages(table_id INTEGER NOT NULL, page INTEGER NOT NULL, why TEXT NOT NULL)
`
