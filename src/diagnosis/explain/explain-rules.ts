import type { Rule } from '../../model/result/finding.ts'
import type { Meaning } from './explain.ts'

const repair = [
  'A rebuild of the index mends it, unless the table is wrong. Try it on a copy, which `holdfast pull` brings:',
  '`sqlite3 copy.db \'REINDEX "name"\'`, with the name of the index. ' +
    'Then check it: `holdfast check --snapshot copy.db`.',
].join(' ')
const restore = [
  'Keep the file as it is. Restore from a backup that you have checked.',
  'Or salvage what is readable from a copy, which `holdfast pull` brings: `sqlite3 copy.db .recover | sqlite3 new.db`.',
  'A sqlite3 that was built without dbpage says `SQL logic error` to that: take another one.',
  'Then check it: `holdfast check --snapshot new.db`. A salvage may lack rows, and may bring deleted ones back.',
].join(' ')
const rewrite = 'On a copy: `sqlite3 copy.db "VACUUM INTO \'new.db\'"`, then `holdfast check --snapshot new.db`.'
const lost =
  'A write that never reached the disk, a page of another file in its place, or a program that wrote past the locks.'

/** Every rule that a finding may carry. */
export const ruleMeanings: Readonly<Record<Rule, Meaning>> = {
  'row-missing-from-index': {
    means: 'Rows of the table have no entry in the index: queries that use the index do not find them.',
    cause: 'A lost write of an index page, or of a table page. SQLite counts the rows but does not name them.',
    todo: repair,
  },
  'entry-without-row': {
    means: 'The index has entries that lead to no row.',
    cause: 'A lost write of a table page, or of an index page when rows were deleted.',
    todo: repair,
  },
  'entry-differs-from-row': {
    means: "An index entry and its row hold different values, or the entry does not end with the row's id.",
    cause: 'A lost write of one of the two pages, or bytes that changed on the disk.',
    todo: repair,
  },
  'index-count-differs': {
    means: 'The index and its table do not hold the same number of entries.',
    cause:
      'A lost write of an index page or of a table page. When several indexes differ alike, the table is the suspect.',
    todo: repair,
  },
  'index-out-of-order': {
    means: 'Entries of the index are not in order: lookups may miss them.',
    cause: 'A collation that changed, or a damaged page.',
    todo: repair,
  },
  'unique-violated': {
    means: 'Several rows of the table have the same key, and this key must be unique.',
    cause: 'An earlier damage of the index let a second row in. A rebuild would fail.',
    todo: 'Find the rows with the same key, decide which one stays, then repair.',
  },
  'page-unreadable': {
    means: 'A page could not be read, or SQLite broke off while it read the object.',
    cause: 'A damaged page; with an error code of input and output it is the disk, and says nothing of the data.',
    todo:
      'Look at the kernel log for disk errors, then check again. If ' +
      'SQLite calls the page malformed, restore or repair.',
  },
  'page-used-twice': {
    means: 'Two owners use one page: one of them has lost what it wrote there.',
    cause: 'A stale page that came back, a free list that named a page in use, or two programs that wrote at once.',
    todo: restore,
  },
  'page-out-of-range': {
    means: 'A page points to a page that does not exist.',
    cause: 'A truncated file, or a damaged pointer.',
    todo: restore,
  },
  'page-unowned': {
    means: 'Pages belong to nothing and are not free: space is lost, no data.',
    cause: 'A write of the free list that was lost. Together with other damage it points to a torn transaction.',
    todo: `Harmless by itself. Rewriting the file gives the space back. ${rewrite}`,
  },
  'page-malformed': {
    means: 'The bytes of a page make no sense as a page.',
    cause: `${lost} Zeroed pages look like this too.`,
    todo: 'An index page: rebuild the index. A table page: restore, or salvage the other rows.',
  },
  'wrong-depth': {
    means: 'The leaves of a b-tree do not all lie at the same depth.',
    cause: 'A pointer that leads to a page of another level: a lost write.',
    todo: restore,
  },
  'rowid-out-of-order': {
    means: 'Rows of a table are not in the order of their rowids: lookups may miss them.',
    cause: lost,
    todo: restore,
  },
  'key-out-of-order': {
    means: 'Rows of a WITHOUT ROWID table are not in the order of their primary key.',
    cause: 'A collation that changed, or a damaged page.',
    todo: restore,
  },
  'overflow-broken': {
    means: 'The chain of pages that holds a long value is too short, too long or broken.',
    cause: lost,
    todo: restore,
  },
  'freelist-broken': {
    means: 'The list of free pages is wrong. No data is lost by it, but the next writes may use a page that is in use.',
    cause: 'A lost write of the first page or of the list.',
    todo: `Stop writing to this tenant until the file has been rewritten, and the new one checked. ${rewrite}`,
  },
  'pointer-map-wrong': {
    means: 'The map that auto-vacuum uses to find parents of pages is wrong.',
    cause: 'A lost write. Rows are not affected until the next vacuum moves pages.',
    todo: `Do not vacuum in place: rewrite the file. ${rewrite}`,
  },
  'header-wrong': {
    means: 'The first 100 bytes of the file make no sense.',
    cause: 'Something else was written over the beginning of the file.',
    todo: restore,
  },
  'schema-unreadable': {
    means: 'The table of tables cannot be read, so nobody knows what the file holds.',
    cause: 'Damage to the first pages of the file.',
    todo: restore,
  },
  'missing-schema': {
    means: 'The file has no tables, and should have some.',
    cause: 'A file that was created anew under the old name, or a restore that did not finish.',
    todo: 'Find out who created it; restore from a verified backup.',
  },
  'not-a-database': {
    means: 'The file is not a database, and should be one.',
    cause: 'Something else was written over it, or the wrong file was put in its place.',
    todo: restore,
  },
  truncated: {
    means: 'The file ends before its last page.',
    cause: 'A copy that was broken off, or a disk that was full.',
    todo: restore,
  },
  'wal-cut': {
    means:
      'SQLite will drop commits that are in the WAL. The WAL has a wrong checksum ' +
      'or a wrong header, or the database file beside it is empty.',
    cause:
      'Bytes of the WAL that changed on the disk, a WAL that was copied during ' +
      'a write, or a database file that was cut to nothing.',
    todo:
      'Copy the WAL away before any program opens the file: SQLite overwrites or ' +
      'deletes it. Restore, or let a person salvage its commits.',
  },
  'journal-cut': {
    means: 'The rollback journal has a wrong checksum. SQLite takes back only the part of the transaction before it.',
    cause: 'Bytes of the journal that changed on the disk, or a journal that was cut.',
    todo:
      'Keep the file and its journal as they are. Restore from a backup that you ' +
      'have checked, or let a person write the other pages back.',
  },
  'record-malformed': {
    means: 'A record cannot be decoded. SQLite does not say where it is.',
    cause: 'Bytes that changed on a page of a table or an index.',
    todo: restore,
  },
  'fts-broken': {
    means: 'A full-text index does not agree with its content.',
    cause:
      'A lost write, or text that changed without the index. If the text is wrong, the index still has the lost words.',
    todo:
      'See first whether the text is right: a rebuild takes the text as it is now. This command rebuilds: ' +
      "INSERT INTO t(t) VALUES('rebuild'). Try it on a copy, which `holdfast pull` brings.",
  },
  'rtree-broken': {
    means: 'An R-Tree is broken. It holds its own data: there is nothing to rebuild it from.',
    cause: lost,
    todo: restore,
  },
  'null-in-not-null': {
    means: 'A column that forbids NULL holds NULL.',
    cause: "A damaged record, or a column that was added past SQLite's checks.",
    todo:
      `Find the rows with typeof(column) = 'null'. IS NULL does not find ` +
      `them, because SQLite trusts the column. ${restore}`,
  },
  'type-mismatch': {
    means: 'A value has another type than its column declares.',
    cause: 'Mostly an application that wrote it so; in a STRICT table, or beside other damage, a damaged record.',
    todo: 'As a notice: nothing. As damage: restore or salvage.',
  },
  'imprecise-real': {
    means: 'An index stores a floating-point value that is not exactly the one in the row.',
    cause: 'An older SQLite computed the value in another way.',
    todo: repair,
  },
  'check-failed': {
    means: 'A row fails a CHECK constraint of its table.',
    cause: 'Mostly a constraint that is younger than the row; beside other damage, a damaged record.',
    todo: 'As a notice: nothing. As damage: restore or salvage.',
  },
  'foreign-key-violated': {
    means: 'Rows refer to rows that do not exist.',
    cause: "Foreign keys were not enforced when they were written. It is the application's matter, not corruption.",
    todo: 'Tell the owner of the application.',
  },
  'content-changed-silently': {
    means:
      'Pages hold other bytes than at the last sound check, and nobody counted a write since. ' +
      'As damage: the file system saw no write either, and rows are others, or nobody can say ' +
      'that they are not. As a notice: nothing that is stored changed; or the file system saw a ' +
      "write that SQLite's change counter does not know of.",
    cause:
      'As damage bit rot: the disk, its controller or its memory changed bytes. As a notice also a program that ' +
      'writes past SQLite, or a file that was replaced by one with the same change counter.',
    todo:
      'As damage: suspect the disk, and look at the kernel log. Keep the file as it is, ' +
      'and restore from a backup that you have checked to another disk. As a notice: ' +
      'find out who wrote the file at its time of last change.',
  },
  'checker-crashed': {
    means: 'The process that read the snapshot died or needed too much memory.',
    cause: 'A hostile or damaged file, or too little memory on this machine. It says nothing of the file by itself.',
    todo:
      'Check again with more memory (check.memory). If it dies again, ' +
      'treat the file as hostile and show it to a person.',
  },
  'check-timeout': {
    means: 'The check took longer than it may.',
    cause: 'A very large file, a busy machine, or a file that makes SQLite loop.',
    todo: 'Check again with a longer check.timeout at a quieter hour.',
  },
  'other-names': {
    means:
      'A private copy has other names: it has hard links, or it is mounted as a single ' +
      'file. SQLite keeps journal and WAL beside the name that it opened.',
    cause: 'A backup that links unchanged files, or a container volume of a single file.',
    todo: 'Make sure that no WAL or journal lies beside the other names: its commits were not read.',
  },
  'engine-says': {
    means:
      'SQLite reported something that this holdfast does not know, or ' +
      'stopped where holdfast found every page and row whole.',
    cause:
      'A newer SQLite, a fault of the schema, or a rare fault. It counts ' +
      'as damage because it was not shown to be harmless.',
    todo: 'Read the sentence; show it to a person who knows SQLite.',
  },
  'schema-incomplete': {
    means:
      'The schema gives no root page for a table, or for an index that a table needs. What it holds cannot be found.',
    cause: 'A lost write of the schema, or a program that wrote into sqlite_schema.',
    todo:
      'Keep the file as it is. The rows of the other tables can be read. If only an index is missing, copy ' +
      'the table into a new file. Otherwise restore from a backup that you have checked.',
  },
}
