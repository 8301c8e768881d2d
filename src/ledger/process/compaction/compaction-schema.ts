/**
 * Which lines may be removed, and how far that has been done. SQLite itself refuses to remove any other line. It keeps
 * lines of open holds, runs and changes, and of each file the newest check and the newest that settles it.
 */

import type Database from 'better-sqlite3'

/** `removable` has rows only within the transaction that removes these lines. */
const compactionSchema = `
create table compacted (id integer primary key check (id = 1), up_to integer not null) strict;
insert into compacted (id, up_to) values (1, 0);
create table removable (sequence integer primary key) strict;
drop trigger line_is_never_removed;
create trigger line_is_never_removed before delete on line
when old.sequence not in (select sequence from removable)
  or old.kind not in ('checked', 'hold-asked', 'hold-quiesced', 'hold-ended')
  or old.holder in (select holder from open_holder)
  or exists (select 1 from newest_check where tenant = old.tenant and path = old.path and way = old.way
    and old.sequence in (sequence, settled))
begin select raise(abort, 'the ledger is append-only'); end;
`

/**
 * The version of the ledger stays the same: an older holdfast works with the file, and removes nothing. The caller has
 * begun a transaction.
 */
export function allowCompaction(database: Database.Database): void {
  if (database.prepare("select 1 from sqlite_schema where name = 'compacted'").get() === undefined)
    database.exec(compactionSchema)
}
