/** What each key of the section `check` means. */

import type { KeyMeaning } from './key-meaning.ts'

export const checkKeyMeanings: Readonly<Record<string, KeyMeaning>> = {
  'check.workers': {
    means:
      'How many snapshots are checked in parallel. `auto` is the number of processors. ' +
      '`sweep --workers` and `check --workers` set it for one run.',
    default: 'auto',
    example: '2',
  },
  'check.timeout': {
    means:
      'How long the check of one file may take. A check that takes longer is ' +
      'inconclusive (check-timeout). `check --timeout` sets it for one run.',
    default: '30m',
    example: '2h',
  },
  'check.memory': {
    means:
      'How much memory one reading process may use. holdfast kills a process that uses ' +
      'more, and the result is inconclusive (checker-crashed).',
    default: '1GB',
    example: '512MiB',
  },
  'check.niceness': {
    means:
      'The niceness of the reading processes: 0 gives them the same share of the processors as others, 19 the least.',
    default: '10',
    example: '19',
  },
  'check.accept': {
    means:
      'Limits of a check that you accept for good. Such a limit concerns a part of the file that needs something of ' +
      'your program: its collation, function, module of virtual tables or tokenizer. Or the part needs a newer ' +
      'SQLite. An accepted part no longer prevents the verdict sound. Every report still lists it, marked as ' +
      'accepted, and damage elsewhere in the file is found as ever. `tenants` and `objects` narrow an entry. The ' +
      'table, index or virtual table that coverage.skipped names is the object. newer-sqlite does not cover a file ' +
      'whose whole format is not understood. Give it objects: without them it also accepts a statement of the schema ' +
      'that damage has changed.',
    default: '[]',
    example: '[unknown-collation, { limit: unknown-module, objects: ["vec_*"] }]',
  },
  'check.invariants': {
    means:
      'Rules of your application, judged on each snapshot that a check or a sweep finds undamaged. `sql` is one ' +
      'SELECT: each row that it returns violates the rule, and its first column is the key that the report names. ' +
      'It runs in the confined process, and can write nothing. `command` gets the path of a private copy for ' +
      '{snapshot}, and HOLDFAST_TENANT and HOLDFAST_PATH in its environment; it may change that copy. Exit code ' +
      '0 means that the rule holds, 1 that it does not, and the lines on stdout say why. Any other end is only a ' +
      'notice. A violation is the finding invariant-violated, and never corruption. `severity: notice` leaves the ' +
      'verdict as it is; `inconclusive` gives exit code 3. `damage` gives the verdict damaged, with the damage class ' +
      'none, and exit code 2. The snapshot is then not kept as a backup, and `repair`, `restore` and `sweep --heal` ' +
      'leave the file alone.',
    default: '[]',
    example: "[{ name: no negative totals, sql: 'SELECT id FROM orders WHERE total < 0' }]",
  },
  'check.rehearse': {
    means:
      'Whether a check that finds damage tries the rebuild on a copy. The report then says "rehearsed". ' +
      '`auto`: `check` always tries it, and `sweep` only for files of at most 1 GB. ' +
      'A rehearsal needs time, and space for up to three more copies. Without that space it is not tried, ' +
      'and the report says so. No tenant is paused for it.',
    default: 'auto',
    example: 'false',
  },
}
