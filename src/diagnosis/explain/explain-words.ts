/** Verdicts, damage classes, seal levels, tenant states, exit codes and known limits. */

import type { ExitCode } from '../../model/exit-code.ts'
import type { TenantState } from '../../model/failure.ts'
import type { SealLevel } from '../../model/result/evidence.ts'
import type { DamageClass } from '../../model/result/finding.ts'
import type { Limit, VerdictWord } from '../../model/result/verdict.ts'
import type { Meaning } from './meaning.ts'

export const verdictMeanings: Readonly<Record<VerdictWord, Meaning>> = {
  sound: {
    means:
      'Nothing wrote to the file during the copy, all of the snapshot was read, and at most notices were ' +
      'found. The report lists them.',
    cause: 'A check that finished.',
    todo: 'Nothing.',
  },
  damaged: {
    means: 'Something is wrong in the file: the findings say what.',
    cause: 'See the findings and their causes.',
    todo: 'Follow the command that the result gives.',
  },
  inconclusive: {
    means:
      'Something was not proven, not read or not understood. It says neither that the file is sound nor that ' +
      'it is damaged.',
    cause: 'The result names the reason.',
    todo: 'Remove the reason and check again.',
  },
  failed: {
    means: 'The check could not begin. This says nothing about the tenant.',
    cause: 'The failure in the result.',
    todo: 'Follow the hint of the failure.',
  },
}

export const damageMeanings: Readonly<Record<DamageClass, Meaning>> = {
  none: { means: 'No damage is known.', cause: '-', todo: 'Nothing.' },
  index: {
    means: 'Only indexes are damaged; their tables are whole.',
    cause: 'See the findings.',
    todo: '`holdfast repair` plans a rebuild (REINDEX) and tries it on a copy. Only `--apply` changes the file.',
  },
  fts: {
    means: 'A full-text index is damaged.',
    cause: 'See the findings.',
    todo: '`holdfast repair` plans a rebuild from its content and tries it on a copy. Only `--apply` changes the file.',
  },
  structure: {
    means: 'The accounting of pages is wrong: free list, lost pages, pointer map. Rows are not affected.',
    cause: 'See the findings.',
    todo: '`holdfast repair` writes the same rows to a new file, first on a copy. Only `--apply` changes the file.',
  },
  table: {
    means: 'Rows are damaged, or it is not certain that they are whole.',
    cause: 'See the findings.',
    todo: '`holdfast restore` puts a verified backup in its place. Without a backup see `holdfast explain ask`.',
  },
  schema: {
    means: 'The schema, the list of tables and indexes, is damaged.',
    cause: 'See the findings.',
    todo: '`holdfast restore` puts a verified backup in its place. Without a backup see `holdfast explain ask`.',
  },
  file: {
    means: 'The file itself is damaged: its header or its length is wrong, or it is not a database.',
    cause: 'See the findings.',
    todo: '`holdfast restore` puts a verified backup in its place. Without a backup see `holdfast explain ask`.',
  },
}

export const levelMeanings: Readonly<Record<SealLevel, Meaning>> = {
  sealed: {
    means:
      'holdfast held the exclusive lock, a second process was refused, and kernel leases on every file ' +
      'lasted from before the copy until after it.',
    cause: 'The default.',
    todo: 'Nothing: no proof is stronger.',
  },
  exclusive: {
    means:
      'holdfast held the exclusive lock and a second process was refused. But the kernel granted no leases, ' +
      'or idle handles remain open.',
    cause: 'A file of another owner without CAP_LEASE, an overlay mount, or a service that keeps handles open.',
    todo:
      'Read the holders in the evidence. If one of them could write, damage is inconclusive: let it close ' +
      'the file, then check again.',
  },
  'writer-locked': {
    means: 'The lock kept out all writers of a WAL database; readers may have it open.',
    cause: 'A service that keeps its handles open.',
    todo: 'Let the service close its handles when it quiesces.',
  },
  pinned: {
    means:
      "No program was stopped: SQLite's own locks kept the copied bytes still while programs went on. " +
      'The snapshot is one state that these programs had committed. ' +
      'It does not show that no program ignores these locks.',
    cause: '`holdfast check --live FILE`, or the level pinned in hold.require.',
    todo:
      'Nothing, if the file is sound. Damage was confirmed by a second snapshot; what only one of the two shows is ' +
      'inconclusive. Before a remedy, stop the program, or let hooks do it. `holdfast salvage` can also read a copy: ' +
      '`check --live FILE --keep-snapshot DIR` or `pull` makes one while the program runs.',
  },
  none: {
    means:
      'Nothing was proven. Either holdfast did not hold the file because the caller states that it is a ' +
      'private copy, or a hold reached no seal.',
    cause: '`holdfast check --snapshot`, or a failure that the result names.',
    todo: 'Nothing, if it is a private copy. Otherwise use `holdfast explain` with the code of the failure.',
  },
}

export const stateMeanings: Readonly<Record<TenantState, Meaning>> = {
  untouched: { means: 'holdfast did not pause the tenant.', cause: 'The work ended before a pause.', todo: 'Nothing.' },
  active: {
    means: 'holdfast saw the tenant serving after the pause.',
    cause: 'A resume that was observed.',
    todo: 'Nothing.',
  },
  'maybe-paused': {
    means: 'The tenant may still be paused: holdfast did not see it serving.',
    cause: 'The service refused the resume, or the request was lost.',
    todo:
      'Run `holdfast resume --all` now. A lease ends by itself at its deadline. A pause by hooks has no ' +
      'lease: only a resume ends it.',
  },
  unknown: {
    means: 'The state of the tenant was not checked after the failure.',
    cause: 'The work ended where its state could not be seen.',
    todo: 'Check whether the tenant works.',
  },
}

export const exitMeanings: Readonly<Record<ExitCode, Meaning>> = {
  0: { means: 'All selected tenants or files are sound.', cause: 'Notices do not change it.', todo: 'Nothing.' },
  1: {
    means: 'holdfast failed, and reports nothing about the data.',
    cause: 'The failure in the report.',
    todo: 'Follow its hint.',
  },
  2: { means: 'Damage was found.', cause: 'See the findings.', todo: 'Follow the commands in the report.' },
  3: {
    means: 'Inconclusive: something was not proven, not read or not understood.',
    cause: 'Each result names its reason.',
    todo: 'Remove the reason and check again.',
  },
  4: {
    means: 'A tenant may still be paused.',
    cause: 'holdfast resumed the tenant and did not see it serving.',
    todo: 'Run `holdfast resume --all` now. A pause by hooks has no lease: only a resume ends it.',
  },
  5: {
    means:
      'Both sides of a comparison are sound and differ: in their content, or because one has a file that the ' +
      'other does not have. Everything that both have was compared.',
    cause: '`holdfast compare`. A difference is no damage: one side may simply be older.',
    todo: 'See which rows differ, and decide which side is right.',
  },
  64: {
    means: 'The command line was not understood, or named nothing that exists.',
    cause: 'An unknown option, id or pattern.',
    todo: 'See `holdfast --help`.',
  },
  70: {
    means: 'A bug in holdfast.',
    cause: 'A condition that must always be true was false.',
    todo: 'Report it, and include the output.',
  },
  75: {
    means: 'Busy: try later.',
    cause: 'Another run, or a file in use.',
    todo: '`holdfast holders FILE` names the programs that have a file open.',
  },
  78: {
    means: 'The configuration or this machine cannot be used.',
    cause: 'The message names the line.',
    todo: 'Correct it.',
  },
  129: {
    means: 'The terminal was closed; holdfast first resumed every tenant that it had paused.',
    cause: 'SIGHUP.',
    todo: 'Run again.',
  },
  130: {
    means: 'Interrupted; holdfast first resumed every tenant that it had paused.',
    cause: 'Ctrl-C.',
    todo: 'Run again.',
  },
  131: {
    means: 'Quit; holdfast first resumed every tenant that it had paused.',
    cause: 'Ctrl-\\, or SIGQUIT.',
    todo: 'Run again.',
  },
  143: {
    means: 'Terminated; holdfast first resumed every tenant that it had paused.',
    cause: 'SIGTERM.',
    todo: 'Run again.',
  },
}

const theSameElsewhere =
  'Check that object on a copy (`holdfast pull` makes one), with a program that has what is missing here.'

const acceptIt = (limit: Limit): string =>
  `If you accept for good that holdfast does not read it, set check.accept: [{ limit: ${limit}, objects: [NAME] }]. ` +
  'A file in which all else is sound is then sound, and each report still lists the object.'

export const limitMeanings: Readonly<Record<Limit, Meaning>> = {
  'unknown-collation': {
    means: 'An index or a table is sorted by a collation that holdfast does not have. Its order was not checked.',
    cause: 'The application brings its own collation.',
    todo: acceptIt('unknown-collation'),
  },
  'unknown-function': {
    means: 'An index, a CHECK constraint or a generated column calls a function that holdfast does not have.',
    cause: 'The application brings its own function, or a newer SQLite has one.',
    todo: `${theSameElsewhere} ${acceptIt('unknown-function')}`,
  },
  'unknown-module': {
    means:
      'A virtual table needs a module that holdfast does not have. The tables that hold its data were ' +
      'checked as tables.',
    cause: 'The application loads an extension.',
    todo: `${theSameElsewhere} ${acceptIt('unknown-module')}`,
  },
  'unknown-tokenizer': {
    means: 'A full-text index needs a tokenizer that holdfast does not have. It was not compared with its text.',
    cause: 'The application brings its own tokenizer, or its SQLite was built with ICU.',
    todo: `${theSameElsewhere} ${acceptIt('unknown-tokenizer')}`,
  },
  'newer-sqlite': {
    means: 'The file or its schema has something that the SQLite of holdfast does not know.',
    cause: 'A newer SQLite wrote it, or one with other options.',
    todo:
      `Use a holdfast with a newer SQLite. ${acceptIt('newer-sqlite')} Name the objects there: without them a ` +
      'statement that damage has changed is accepted as well.',
  },
}
