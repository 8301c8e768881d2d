import type { ExitCode } from '../../model/exit-code.ts'
import type { TenantState } from '../../model/failure.ts'
/** Verdicts, damage classes, seal levels, tenant states, exit codes and known limits. */
import type { SealLevel } from '../../model/result/evidence.ts'
import type { DamageClass } from '../../model/result/finding.ts'
import type { Limit, VerdictWord } from '../../model/result/verdict.ts'
import type { Meaning } from './explain.ts'

export const verdictMeanings: Readonly<Record<VerdictWord, Meaning>> = {
  sound: {
    means: 'The snapshot was proven still, wholly read, and nothing was found but notices, which are listed.',
    cause: 'A check that came to its end.',
    todo: 'Nothing.',
  },
  damaged: {
    means: 'Something is wrong in the file: the findings name it.',
    cause: 'See the findings and their causes.',
    todo: 'Follow the command that the result gives.',
  },
  inconclusive: {
    means:
      'Something was not proven, not read or not understood. It says ' +
      'neither that the file is sound nor that it is damaged.',
    cause: 'The reason stands in the result.',
    todo: 'Remove the reason and check again.',
  },
  failed: {
    means: 'The check could not begin. Nothing is said about the tenant.',
    cause: 'The failure in the result.',
    todo: 'Follow the hint of the failure.',
  },
}

export const damageMeanings: Readonly<Record<DamageClass, Meaning>> = {
  none: { means: 'Nothing is damaged as far as is known.', cause: '-', todo: 'Nothing.' },
  index: {
    means: 'Only indexes are damaged; their tables are clean.',
    cause: 'See the findings.',
    todo: 'A rebuild mends it (REINDEX); try it on a copy first, which `holdfast pull` brings.',
  },
  fts: {
    means: 'A full-text index is damaged.',
    cause: 'See the findings.',
    todo: 'A rebuild from its content mends it; try it on a copy first, which `holdfast pull` brings.',
  },
  structure: {
    means: 'The accounting of pages is wrong: free list, lost pages, pointer map. Rows are not affected.',
    cause: 'See the findings.',
    todo: 'Rewriting the file mends it (VACUUM INTO a new one).',
  },
  table: {
    means: 'Rows are damaged, or nobody can say that they are not.',
    cause: 'See the findings.',
    todo: 'Restore from a verified backup, or salvage.',
  },
  schema: {
    means: 'The table of tables is damaged.',
    cause: 'See the findings.',
    todo: 'Restore from a verified backup, or salvage.',
  },
  file: {
    means: 'The file itself is damaged: its header, its length, or it is no database at all.',
    cause: 'See the findings.',
    todo: 'Restore from a verified backup, or salvage.',
  },
}

export const levelMeanings: Readonly<Record<SealLevel, Meaning>> = {
  sealed: {
    means:
      "Exclusive lock, a second process refused, and the kernel's lease on " +
      'every file unbroken from before the copy until after it.',
    cause: 'The default.',
    todo: 'Nothing: there is no stronger proof.',
  },
  exclusive: {
    means: 'Exclusive lock and a second process refused, but the kernel gave no leases, or idle handles remain.',
    cause: 'Another owner without CAP_LEASE, an overlay mount, or a service that keeps handles.',
    todo:
      'See the holders in the evidence. If one of them could write, damage is ' +
      'inconclusive: let it close the file, and check again.',
  },
  'writer-locked': {
    means: 'The writers of a WAL database were locked out; readers may have it open.',
    cause: 'A service that keeps its handles open.',
    todo: 'Let the service close its handles when it quiesces.',
  },
  none: {
    means:
      'Nothing was proven. Either no hold was made, and the caller vouches that the file ' +
      'is a private copy; or a hold was tried, and no seal was reached.',
    cause: '`holdfast check --snapshot`; or a failure, which the result names.',
    todo: 'Nothing, if it is a private copy. Else explain the code of the failure.',
  },
}

export const stateMeanings: Readonly<Record<TenantState, Meaning>> = {
  untouched: { means: 'The tenant was not paused by us.', cause: 'The work ended before the pause.', todo: 'Nothing.' },
  active: { means: 'The tenant was seen serving after us.', cause: 'A resume that was observed.', todo: 'Nothing.' },
  'maybe-paused': {
    means: 'The tenant may still stand still: our last look did not show it serving.',
    cause: 'A resume that was refused or lost.',
    todo:
      'Run `holdfast resume --all` now. A lease ends by itself at its deadline. ' +
      'A pause by hooks has no lease: only a resume ends it.',
  },
  unknown: {
    means: 'Nobody looked at the tenant after the failure.',
    cause: 'The work ended where its state could not be seen.',
    todo: 'Look whether the tenant works.',
  },
}

export const exitMeanings: Readonly<Record<ExitCode, Meaning>> = {
  0: { means: 'All selected tenants or files are sound.', cause: 'Notices do not change it.', todo: 'Nothing.' },
  1: {
    means: 'holdfast failed, and says nothing about the data.',
    cause: 'The failure in the report.',
    todo: 'Follow its hint.',
  },
  2: { means: 'Damage was found.', cause: 'See the findings.', todo: 'Follow the commands in the report.' },
  3: {
    means: 'Inconclusive: something was not proven, not read or not understood.',
    cause: 'The reason stands in each result.',
    todo: 'Remove the reason and check again.',
  },
  4: {
    means: 'A tenant may still be paused.',
    cause: 'A resume that was not seen to work.',
    todo: 'Run `holdfast resume --all` now. A pause by hooks has no lease: only a resume ends it.',
  },
  5: {
    means:
      'Both sides of a comparison are sound and differ: in what they hold, or because one has a ' +
      'file that the other has not. Everything that both have was compared.',
    cause: '`holdfast compare`. A difference is no damage: one side may simply be older.',
    todo: 'See which rows differ; decide which side is right.',
  },
  64: {
    means: 'The command line was not understood, or named nothing that exists.',
    cause: 'An unknown option, id or pattern.',
    todo: 'See `holdfast --help`.',
  },
  70: { means: 'A bug in holdfast.', cause: 'Something that must hold did not.', todo: 'Report it with the output.' },
  75: {
    means: 'Busy: try later.',
    cause: 'Another run, or a file in use.',
    todo: '`holdfast holders FILE` names who has a file.',
  },
  78: {
    means: 'The configuration or this machine cannot be used.',
    cause: 'The message names the line.',
    todo: 'Correct it.',
  },
  129: {
    means: 'The terminal went away; whatever was paused was resumed first.',
    cause: 'SIGHUP.',
    todo: 'Run again.',
  },
  130: { means: 'Interrupted; whatever was paused was resumed first.', cause: 'Ctrl-C.', todo: 'Run again.' },
  131: { means: 'Quit; whatever was paused was resumed first.', cause: 'Ctrl-\\, or SIGQUIT.', todo: 'Run again.' },
  143: { means: 'Terminated; whatever was paused was resumed first.', cause: 'SIGTERM.', todo: 'Run again.' },
}

const theSameElsewhere = 'Check that object with a program that has it, on a copy, which `holdfast pull` brings.'

export const limitMeanings: Readonly<Record<Limit, Meaning>> = {
  'unknown-collation': {
    means: 'An index or a table is in the order of a collation that holdfast does not have. Its order was not checked.',
    cause: 'The application brings its own collation.',
    todo: 'If that is known, set check.accept: [unknown-collation]: all else is then checked, and may be sound.',
  },
  'unknown-function': {
    means: 'An index, a CHECK constraint or a generated column calls a function that holdfast does not have.',
    cause: 'The application brings its own function, or a newer SQLite has one.',
    todo: theSameElsewhere,
  },
  'unknown-module': {
    means:
      'A virtual table needs a module that holdfast does not have. The ' +
      'tables that keep its data were checked as tables.',
    cause: 'The application loads an extension.',
    todo: theSameElsewhere,
  },
  'unknown-tokenizer': {
    means: 'A full-text index needs a tokenizer that holdfast does not have. It was not compared with its text.',
    cause: 'The application brings its own tokenizer, or its SQLite was built with ICU.',
    todo: theSameElsewhere,
  },
  'newer-sqlite': {
    means: 'The file or its schema has something that the SQLite of holdfast does not know.',
    cause: 'A newer SQLite wrote it, or one with other options.',
    todo: 'Use a holdfast with a newer SQLite.',
  },
}
