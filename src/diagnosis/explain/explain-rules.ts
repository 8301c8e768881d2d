import type { Rule } from '../../model/result/finding.ts'
import { noticeMeanings } from './explain-notices.ts'
import type { Meaning } from './meaning.ts'

const repair =
  'A rebuild of the index mends it, unless the table is wrong. `holdfast repair FILE` (or `--tenant ID`) tries it on ' +
  'a copy, and lists the entries that it would drop. With `--apply` it changes the file, and keeps the original.'
const restore =
  'Keep the file as it is. `holdfast restore --tenant ID` shows what the newest verified backup lacks; ' +
  '`--merge-newer` brings over later rows. ' +
  'Without a backup: `holdfast salvage COPY --to NEW` writes the rows that can be read into a new file. ' +
  'It lists the rows that are lost. `holdfast pull ID DIR` makes the copy.'
const rewrite =
  '`holdfast repair FILE` (or `--tenant ID`) writes a copy anew and compares every table. ' +
  'With `--apply` the copy takes the place of the file, and the original is kept.'
const lost =
  'A write that never reached the disk, a page of another file in its place, or a program that ignored the locks.'

/** Every rule of findings. */
export const ruleMeanings: Readonly<Record<Rule, Meaning>> = {
  'row-missing-from-index': {
    means: 'Rows of the table have no entry in the index, so queries that use the index do not find them.',
    cause: 'A lost write of an index page or of a table page.',
    todo: repair,
  },
  'entry-without-row': {
    means: 'The index has entries without a row in the table.',
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
      'A lost write of an index page or of a table page. If several indexes differ in the same way, suspect the table.',
    todo: repair,
  },
  'index-out-of-order': {
    means: 'Entries of the index are not in order, so lookups may miss them.',
    cause: 'A collation that changed, or a damaged page.',
    todo: repair,
  },
  'unique-violated': {
    means: 'Several rows of the table have the same key, and this key must be unique.',
    cause: 'Earlier damage of the index let a second row in. A rebuild would fail.',
    todo: 'Find the rows with the same key, decide which one stays, then rebuild the index.',
  },
  'page-unreadable': {
    means: 'A page could not be read, or SQLite stopped while it read the object.',
    cause: 'A damaged page. An input/output error code points to the disk and reports nothing about the data.',
    todo:
      'Check the kernel log for disk errors, then check the file again. If SQLite calls the page malformed, ' +
      'restore or rebuild.',
  },
  'page-used-twice': {
    means: 'Two owners use one page: one of them has lost what it stored there.',
    cause:
      'A lost write that left an old page, or a free list that named a page in use. Or two programs wrote at the ' +
      'same time.',
    todo: restore,
  },
  'page-out-of-range': {
    means: 'A page points to a page that does not exist.',
    cause: 'A truncated file, or a damaged pointer.',
    todo: restore,
  },
  'page-unowned': {
    means: 'Pages belong to no object and are not in the free list: space is lost, but no data.',
    cause:
      'A lost write of the free list. Together with other damage it points to a transaction that was written ' +
      'only in part.',
    todo: `Harmless alone. To get the space back, write a new file. ${rewrite}`,
  },
  'page-malformed': {
    means: 'The bytes of a page do not form a valid page.',
    cause: `${lost} Zeroed pages look like this too.`,
    todo: 'An index page: rebuild the index. A table page: restore, or salvage the other rows.',
  },
  'wrong-depth': {
    means: 'The leaves of a b-tree do not all lie at the same depth.',
    cause: 'A lost write: a pointer leads to a page of another level.',
    todo: restore,
  },
  'rowid-out-of-order': {
    means: 'Rows of a table are not in the order of their rowids, so lookups may miss them.',
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
    means:
      'The list of free pages is wrong. No data is lost yet, but the next writes may overwrite a page that is in use.',
    cause: 'A lost write of the first page or of the list.',
    todo: `Stop writing to this tenant until the file has been rewritten, and the new one checked. ${rewrite}`,
  },
  'pointer-map-wrong': {
    means: 'The pointer map is wrong: auto-vacuum uses it to find the parent of a page.',
    cause: 'A lost write. Rows are not affected until the next vacuum moves pages.',
    todo: `Do not vacuum in place. Write a new file. ${rewrite}`,
  },
  'header-wrong': {
    means: 'The first 100 bytes of the file are not a valid SQLite header.',
    cause: 'Something else was written over the beginning of the file.',
    todo: restore,
  },
  'schema-unreadable': {
    means: 'The schema cannot be read, so what the file holds is not known.',
    cause: 'Damage to the first pages of the file.',
    todo: restore,
  },
  'missing-schema': {
    means: 'The file has no tables although it should have some.',
    cause: 'A new file under the old name, or a restore that did not finish.',
    todo: 'Find out which program created it. Restore from a verified backup.',
  },
  'not-a-database': {
    means: 'The file is not a database although it should be one.',
    cause: 'Something else was written over it, or the wrong file was put in its place.',
    todo: restore,
  },
  truncated: {
    means: 'The file ends before its last page.',
    cause: 'A copy that did not finish, or a disk that was full.',
    todo: restore,
  },
  'wal-cut': {
    means:
      'SQLite will drop commits that are in the WAL, because the WAL has a wrong checksum or header, or ' +
      'because the database file is empty.',
    cause:
      'Bytes of the WAL changed on the disk, the WAL was copied during a write, or the database file was cut ' +
      'to nothing.',
    todo:
      'Copy the WAL away before any program opens the file, because SQLite overwrites or deletes it. Then ' +
      'restore, or let a person salvage its commits.',
  },
  'journal-cut': {
    means: 'The rollback journal has a wrong checksum or header. SQLite undoes the transaction only up to that point.',
    cause: 'Bytes of the journal changed on the disk, or the journal was cut.',
    todo:
      'Keep the file and its journal as they are. Restore from a backup that you have checked, or let a ' +
      'person write the remaining pages back.',
  },
  'record-malformed': {
    means: 'A record cannot be decoded. SQLite does not report where it is.',
    cause: 'Bytes changed on a page of a table or of an index.',
    todo: restore,
  },
  'fts-broken': {
    means: 'A full-text index does not agree with its content.',
    cause:
      'A lost write, or text that changed while the index did not. If the text is wrong, the index still has ' +
      'the lost words.',
    todo:
      'First check that the text is right, because a rebuild uses the text as it is now. `holdfast repair FILE` ' +
      '(or `--tenant ID`) tries the rebuild on a copy. It names the table that has the text. ' +
      "SQLite's own statement for it is INSERT INTO t(t) VALUES('rebuild').",
  },
  'rtree-broken': {
    means: 'An R-Tree is broken. It holds its own data, so it cannot be rebuilt from a table.',
    cause: lost,
    todo: restore,
  },
  'null-in-not-null': {
    means: 'A column that forbids NULL holds NULL.',
    cause: "A damaged record, or a column that was added without SQLite's checks.",
    todo:
      `Find the rows with typeof(column) = 'null'. IS NULL does not find them, because SQLite trusts the ` +
      `column. ${restore}`,
  },
  'type-mismatch': {
    means: 'A value has another type than its column declares.',
    cause:
      'Usually the application wrote it like this. In a STRICT table, or beside other damage, the record is damaged.',
    todo: 'As a notice: nothing. As damage: restore or salvage.',
  },
  'imprecise-real': {
    means: 'An index stores a floating-point value that is not exactly the one in the row.',
    cause: 'An older SQLite computed the value in another way.',
    todo: repair,
  },
  'check-failed': {
    means: 'A row fails a CHECK constraint of its table.',
    cause: 'Usually the constraint is newer than the row. Beside other damage, the record is damaged.',
    todo: 'As a notice: nothing. As damage: restore or salvage.',
  },
  'foreign-key-violated': {
    means: 'Rows refer to rows that do not exist.',
    cause: 'The application did not enforce foreign keys when it wrote the rows. This is not corruption.',
    todo: 'Tell the owner of the application.',
  },
  'content-changed-silently': {
    means:
      'Pages hold other bytes than at the last sound check, and SQLite counted no write since. As damage: ' +
      'the file system recorded no write either, and rows changed or may have changed. As a notice: nothing ' +
      'that is stored changed, or the file system recorded a write that SQLite did not count.',
    cause:
      'As damage: bit rot, which means that the disk, its controller or its memory changed bytes. As a ' +
      'notice: also a program that writes without SQLite, or another file with the same change counter in ' +
      'its place.',
    todo:
      'As damage: suspect the disk and check the kernel log. Keep the file as it is, and restore a backup ' +
      'that you have checked to another disk. As a notice: find out which program wrote the file at its time ' +
      'of last change.',
  },
  'checker-crashed': {
    means: 'The process that read the snapshot died or needed too much memory.',
    cause: 'A hostile or damaged file, or too little memory on this machine. Alone it says nothing about the file.',
    todo:
      'Check again with more memory (check.memory). If it dies again, treat the file as hostile and show it ' +
      'to a person.',
  },
  'check-timeout': {
    means: 'The check took longer than it may.',
    cause: 'A very large file, a busy machine, or a file that makes SQLite loop.',
    todo: 'Check again with a longer check.timeout at a quieter hour.',
  },
  'other-names': {
    means:
      'A private copy has other names: it has hard links, or it is mounted as a single file. SQLite keeps ' +
      'journal and WAL beside the name that it opened.',
    cause: 'A backup that links unchanged files, or a container volume of a single file.',
    todo: 'Make sure that no WAL or journal lies beside the other names: holdfast did not read its commits.',
  },
  'engine-says': {
    means:
      'SQLite reported something that this holdfast does not know, or stopped where holdfast found every ' +
      'page and row whole.',
    cause:
      'A newer SQLite, a fault of the schema, or a rare fault. It counts as damage because it may not be harmless.',
    todo: 'Read the text of the finding, and show it to a person who knows SQLite.',
  },
  'schema-incomplete': {
    means:
      'The schema names no root page for a table, or for an index that a table needs. Its content cannot be found.',
    cause: 'A lost write of the schema, or a program that wrote into sqlite_schema.',
    todo:
      'Keep the file as it is. The rows of the other tables can be read. If only an index is missing, copy ' +
      'the table into a new file. Otherwise restore from a backup that you have checked.',
  },
  'tree-unowned': {
    means: 'Pages that belong to no object form a tree, or are leaves with rows: a table may be lost from the schema.',
    cause:
      'A lost write of the schema. Or the rows were deleted, and the write that put their pages on the ' +
      'free list was lost.',
    todo:
      'Keep the file as it is. Copy it (`holdfast pull ID DIR`), and read the rows from the copy: ' +
      '`holdfast salvage COPY --to NEW` writes them into tables of their own. A person must decide.',
  },
  'page-checksum-wrong': {
    means:
      'Pages do not carry the checksum that the SQLite extension cksumvfs wrote there, and most pages of the file ' +
      'carry a right one. An application with this extension cannot read these pages.',
    cause: 'Bytes changed on the disk. Or a program without the extension wrote the pages: their content may be right.',
    todo: restore,
  },
  ...noticeMeanings,
}
