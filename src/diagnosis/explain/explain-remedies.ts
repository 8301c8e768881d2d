/** What `remedy.do` and the hints of `causes` in a report mean. */

import type { Cause } from '../../model/result/finding.ts'
import type { Remedy } from '../../model/result/verdict.ts'
import type { Meaning } from './meaning.ts'

export const remedyMeanings: Readonly<Record<Remedy['do'], Meaning>> = {
  nothing: {
    means: 'There is nothing to mend, or no known remedy helps yet.',
    cause: 'The verdict is not `damaged`.',
    todo: 'Nothing.',
  },
  rebuild: {
    means:
      'A rebuild mends the file, because its tables are whole. It is REINDEX of the named indexes, or the rebuild of ' +
      'full-text indexes by their module. Where only the accounting of pages is damaged, it is a rewrite of the file.',
    cause: 'Only indexes, full-text indexes or the accounting of pages are damaged.',
    todo:
      '`holdfast repair --tenant ID` (or FILE) tries it on a copy and prints a plan. With `--apply` it changes the ' +
      'file, keeps the original, and checks the result. `--undo` puts the original back.',
  },
  restore: {
    means: 'The file must be restored from a verified backup.',
    cause: 'Rows are damaged, or it is not certain that they are whole.',
    todo:
      '`holdfast restore --tenant ID` shows what the newest verified backup lacks, table by table. ' +
      '`--merge-newer` brings over the rows that came later. Only `--apply` changes the file.',
  },
  ask: {
    means: 'A person must decide: no remedy is known to be right.',
    cause: 'Rows may be lost and no verified backup is known, or two copies of the data contradict each other.',
    todo:
      'Keep the file and all files beside it. `holdfast salvage COPY --to NEW` writes what can be read into a new ' +
      'file, and lists the rest. Show the report to a person who knows the data.',
  },
}

export const causeMeanings: Readonly<Record<Cause['hint'], Meaning>> = {
  'wal-reset-bug': {
    means: 'The service runs a SQLite that can lose pages when the WAL is reset while another connection writes.',
    cause: 'SQLite 3.7.0 to 3.51.2, but not 3.50.7 and later ones of 3.50, nor 3.44.6 and later ones of 3.44.',
    todo: 'Update SQLite in the service, then mend the file.',
  },
  'stale-wal': {
    means: 'The WAL belongs to an older state of the database file.',
    cause: 'A restore that left the old WAL beside the new file.',
    todo: 'Keep both files as they are until a person has decided.',
  },
  'many-names': {
    means: 'The database has several names, and SQLite keeps a separate journal for each name.',
    cause: 'Hard links, or symbolic links.',
    todo: 'Leave the file only one name.',
  },
  'untrusted-file-system': {
    means: 'The file lies on a file system whose locks are not reliable.',
    cause: 'NFS, SMB, FUSE or an unknown kind.',
    todo: 'Move the database to a local disk.',
  },
  'zeroed-range': {
    means: 'Pages hold only zeros.',
    cause: 'A write that was lost, or a restore that left a hole.',
    todo: 'Check the kernel log for disk errors.',
  },
  'cross-linked': {
    means: 'Two files or two objects use the same page or block.',
    cause: 'A damaged file system, or a page from an older state of the file.',
    todo: 'Check the file system.',
  },
  'truncated-copy': {
    means: 'The file ends before its last page.',
    cause: 'A copy that did not finish, or a disk that was full.',
    todo: 'Find the whole file: the source of the copy, or a backup.',
  },
  'bit-rot': {
    means: 'Bytes changed although neither the file system nor SQLite recorded a write.',
    cause: 'The disk, its controller or its memory.',
    todo: 'Suspect the disk: check the kernel log and the health of the disk.',
  },
  'lost-table-write': {
    means: 'Several sound indexes agree with each other and contradict the table: the table lost a write.',
    cause: 'A write of a table page that never reached the disk.',
    todo: 'Do not rebuild these indexes: they hold what the table has lost.',
  },
  'index-or-table': {
    means: 'Nothing shows whether the index or the table is right.',
    cause: 'Only one index disagrees with its table.',
    todo:
      'Before a rebuild, see what the index still holds (`holdfast check FILE --show-values`). ' +
      'A rebuild writes each entry that it drops into the account.',
  },
  'foreign-companion': {
    means: 'The file is whole without the WAL or journal that lies beside it.',
    cause:
      'A restore that left the WAL or journal of an older file behind, or bytes of the WAL or journal that changed.',
    todo: 'Copy both away before any program opens the file. A person must decide which of them is right.',
  },
  'newer-sqlite': {
    means: 'A newer SQLite wrote the file than the one that reads it.',
    cause: 'The service or a tool was updated.',
    todo: 'Use a holdfast with a newer SQLite.',
  },
  'other-sqlite': {
    means: 'The file holds something that the SQLite of holdfast does not know.',
    cause: 'A SQLite with other extensions or collations wrote it, or bytes changed.',
    todo: 'The coverage lists what was not understood.',
  },
}
