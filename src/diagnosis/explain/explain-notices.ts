import type { Rule } from '../../model/result/finding.ts'
import type { Meaning } from './meaning.ts'

/** Rules that are about the live set, its history, or the application: they are never damage of the file's pages. */
export const noticeMeanings = {
  'wal-large': {
    means:
      'The write-ahead log is far larger than its file: at least four times as large, and longer than four ' +
      'checkpoints of SQLite. Reads become slow, and the disk fills.',
    cause:
      'A reader that never ends its transaction, so that SQLite cannot write the log back; checkpoints that are ' +
      'switched off; or one very large transaction.',
    todo:
      'Find the program that reads without end (`holdfast holders FILE`). The service can shorten the log with ' +
      'PRAGMA wal_checkpoint(TRUNCATE), and keep it short with PRAGMA journal_size_limit.',
  },
  'journal-old': {
    means:
      'A rollback journal that is more than two weeks old lies beside the file. The next program that opens the ' +
      'database undoes what its transaction wrote.',
    cause:
      'A program died within a transaction, and the service has not written to this tenant since. Or a restore ' +
      'left an old journal behind.',
    todo:
      'Ask whether the tenant is still in use. If a restore put the file there, keep a copy of both files before ' +
      'any program opens them.',
  },
  'rows-gone': {
    means:
      'A table had at least 500 rows at the last sound check and has none now. Or it had at least 10,000, and fewer ' +
      'than a tenth are left.',
    cause:
      'The application deleted them: on purpose, or by a mistake. A restore of an older or empty file looks the ' +
      'same. This is not corruption.',
    todo:
      'Ask the owner of the application. `holdfast compare ID BACKUP` shows what a backup has. ' +
      '`holdfast restore --tenant ID --from BACKUP` plans a restore.',
  },
  'schema-differs': {
    means:
      'The tables, indexes, views and triggers of this file are not those of most tenants. A sweep compares the ' +
      'schemas of the last sound checks, if at least three quarters of at least five tenants share one.',
    cause: 'A migration that did not reach this tenant, or that stopped half way. Or a tenant that is meant to differ.',
    todo: '`holdfast compare ID OTHER` shows each difference to a tenant with the usual schema.',
  },
  'slower-than-usual': {
    means:
      'The check or the pause took more than five times the median of the earlier sound checks of this file. Their ' +
      'times are scaled up if the file has grown. At least five of these checks are known. A pause must be longer ' +
      'than 1 s, a check longer than 10 s.',
    cause: 'A disk that is failing or busy, too little memory, or another program that uses the machine.',
    todo: 'Check the kernel log and the load of the disk. A slow disk is often the first sign of a failing one.',
  },
  'invariant-violated': {
    means:
      'A rule of the application, from check.invariants, does not hold. The file itself may be whole: this is not ' +
      'corruption, and no remedy of holdfast changes it.',
    cause: 'The application wrote data that break its own rule, or the rule is wrong or out of date.',
    todo:
      'Show the rows to the owner of the application. With `severity: damage` the exit code is 2, the damage class ' +
      'stays `none`, and the snapshot is not kept as a backup. `repair` and `sweep --heal` leave it alone.',
  },
  'invariant-unjudged': {
    means: 'A rule of the application, from check.invariants, could not be judged. The verdict does not depend on it.',
    cause:
      'Its statement is refused, took too long, or names a table that the file does not have. Or its command did ' +
      'not start, took too long, or ended with another exit code than 0 or 1.',
    todo: 'Read the reason in the finding, and correct the rule.',
  },
  'reading-differs': {
    means:
      'Damage was found, and a second reading of the snapshot from the disk, past the page cache, did not show it. ' +
      'The file may be whole.',
    cause: 'Memory of this machine, a cable, a controller or the disk changes bytes now and then.',
    todo:
      'Check again. Do not repair or restore anything because of this result. Test the memory (memtest), read the ' +
      'kernel log for ECC, ATA or NVMe errors, and check the health of the disk.',
  },
  'snapshots-differ': {
    means:
      'Damage was found in a pinned snapshot, and a second one, pinned a second later, did not show it. ' +
      'The file may be whole.',
    cause:
      "A program writes to the file without SQLite's locks: a copy tool, an editor, or SQLite with nolock=1. " +
      'Or the program itself mended the damage in between.',
    todo:
      'Check again. `holdfast holders FILE` names the programs that have the file. Do not repair or restore ' +
      'anything because of this result. For certainty stop the program and check the file.',
  },
} satisfies Partial<Record<Rule, Meaning>>
