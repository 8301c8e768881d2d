/** What keeps a remedy from being applied: it would not mend the file, it is out of date, or its backup is broken. */

import { exitCodes } from '../exit-code.ts'
import type { FailureKind } from './failure-kind.ts'

export const remedyFailures = {
  REMEDY_STALE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.inconclusive, result: exitCodes.inconclusive },
    stopsRun: false,
    next: 'explain',
    hint: 'the file was written meanwhile: run the same command again, or at a time when the tenant writes less',
    otherwise: null,
    means: 'The live file is no longer what the remedy was rehearsed on, so nothing was changed.',
    cause:
      'A program wrote the file after its snapshot was taken. For an undo: after the change, ' +
      'and then each undo is refused.',
  },
  REMEDY_REFUSED: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.damaged, result: exitCodes.damaged },
    stopsRun: false,
    next: 'explain',
    hint:
      '`holdfast restore` shows which backup could take its place; ' +
      '`holdfast salvage` saves the rows that are readable',
    otherwise: null,
    means: 'The remedy would not mend the file, or would lose something, so it was not applied.',
    cause:
      'A rehearsal on a copy did not come out sound. For example, rows violate a UNIQUE index, or a full-text ' +
      'table stores no text.',
  },
  BACKUP_BROKEN: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.damaged, result: exitCodes.damaged },
    stopsRun: false,
    next: 'explain',
    hint: 'choose another one: `holdfast backups list`; a broken backup is never restored',
    otherwise: null,
    means: 'A backup cannot be restored, is not what was stored, or is not sound.',
    cause: 'A disk that changed its bytes, a write that was cut short, or a backup that was taken of a damaged file.',
  },
  BACKUP_UNKNOWN: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.usage, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: '`holdfast backups list` shows all backups; add --backups DIR if you named a folder',
    otherwise: null,
    means: 'There is no backup of this id, or none that fits.',
    cause: 'A mistyped id, another backups.dir, or a backup that was pruned.',
  },
} as const satisfies Record<string, FailureKind>
