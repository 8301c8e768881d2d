/** What ends a run as a whole: another run, the configuration, the command line, a person. */

import { exitCodes } from '../exit-code.ts'
import type { FailureKind } from './failure-kind.ts'

export const runFailures = {
  RUN_ACTIVE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.busy, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'another run of holdfast works on this service; wait until it ends',
    otherwise: null,
    means: 'Another run of holdfast works on this service.',
    cause:
      'A sweep, a check of tenants, or another command that pauses them. If several machines share the ' +
      'ledger folder, it may run on another machine. The lock of a run that died there, or of one on a file ' +
      'system without kernel locks, ends within a minute.',
  },
  TOO_SOON: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.busy, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: '`holdfast triage` without --detach begins immediately; `holdfast status` shows what the last one has found',
    otherwise: null,
    means: 'The same caller started a triage less than 10 minutes ago, and asks again.',
    cause: 'A service that crashes again and again makes its monitor call the same hook each time.',
  },
  CONFIG_INVALID: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.configuration, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'correct the configuration; nothing was touched; `holdfast explain` lists all keys',
    otherwise: null,
    means: 'The configuration cannot be used.',
    cause:
      'A line of it is wrong, and the message names the line. Or another user could change the ' +
      'configuration, the token, the certificates or a folder above them. Their owner must be root or the ' +
      'user that runs holdfast, and no other user may write them.',
  },
  HARM_SUSPECTED: {
    tenant: 'active',
    retry: false,
    exit: { run: exitCodes.damaged, result: exitCodes.damaged },
    stopsRun: true, // Each further pause may do further harm.
    next: 'explain',
    hint:
      'start no sweep, triage or repair before you know the cause; stop every other program that opens these files ' +
      '(`holdfast holders FILE` names them); only then check this one tenant again with `holdfast check`',
    otherwise: null,
    means:
      'holdfast found this file sound earlier in this run or incident, and it is damaged now. holdfast itself may be ' +
      'the cause, or a lock that does not hold. The run was stopped, and no other tenant is paused.',
    cause:
      'Another checker, a backup or a copy that writes to the file while the service has it open. Or a file system ' +
      'or a mount that grants one lock to two programs. Or a defect of holdfast, of the service or of the disk. The ' +
      'check itself changed nothing.',
  },
  INTERRUPTED: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: true, // A person wants it.
    next: 'check',
    hint: 'run again when you are ready: the next sweep begins with tenants that were never checked or not found sound',
    otherwise: null,
    means: 'A person or the system ended the run. holdfast first resumed every tenant that it had paused.',
    cause: 'Ctrl-C, a signal, or a shutdown.',
  },
  RUN_UNKNOWN: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.usage, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: '`holdfast history` lists runs; the reports of the newest ones are kept in the folder of the ledger',
    otherwise: null,
    means: 'No report of this run is kept.',
    cause:
      'The id is wrong, or the run was of another service. Or its report could not be written, or newer reports took ' +
      'its place. Runs over bare files keep no report.',
  },
  REPORT_BROKEN: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: '`holdfast history` still shows what the ledger knows of the run; check the disk of the ledger',
    otherwise: null,
    means: 'A kept report cannot be read as holdfast wrote it.',
    cause: 'A disk that fails, a disk that was full, or another program that changed the file.',
  },
  USAGE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.usage, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'see `holdfast --help`',
    otherwise: null,
    means: 'The command line was not understood.',
    cause: 'An unknown option or a missing argument.',
  },
} as const satisfies Record<string, FailureKind>
