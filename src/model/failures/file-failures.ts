/** What stands against reading one file: other programs that have it, its kind, its names, its permissions. */

import { exitCodes } from '../exit-code.ts'
import type { FailureKind } from './failure-kind.ts'

export const fileFailures = {
  IN_USE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.busy, result: exitCodes.busy },
    stopsRun: false,
    next: 'holders',
    hint: '`holdfast holders FILE` names the programs that have the file open; try again when they have closed it',
    otherwise: null,
    means: 'The kernel reports that another process has the file open.',
    cause:
      'A shell, a cron job or another program. A program that only maps the file counts too. If a program keeps the ' +
      'file open all day, see `holdfast explain live`.',
  },
  LOCK_BUSY: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.busy, result: exitCodes.busy },
    stopsRun: false,
    next: 'holders',
    hint: '`holdfast holders FILE` names the programs that hold a lock on the database; try again later',
    otherwise: null,
    means: 'Another program holds a lock on the database.',
    cause:
      'A program reads or writes the database right now, or keeps it open in WAL mode. If it keeps it open all day, ' +
      'see `holdfast explain live`.',
  },
  WRITER_SEEN: {
    tenant: 'unknown',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'holders',
    hint:
      'the file changed although nothing should write to it now; `holdfast holders FILE` may name the ' +
      'program that wrote',
    otherwise: null,
    means: 'The file changed although nothing should have written to it.',
    cause: 'Another program writes to the file, or the service did not stop writing.',
  },
  COPY_CHANGED: {
    tenant: 'unknown',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'holders',
    hint: 'the file changed while holdfast copied it; the copy was deleted; try again',
    otherwise: null,
    means: 'The file changed while holdfast copied it. The copy was deleted.',
    cause: 'A program that ignores the locks wrote to the file, or the file was replaced under its path.',
  },
  NOT_SQLITE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'the file has no SQLite header: it is encrypted, it is not a database, or its beginning was overwritten',
    otherwise: null,
    means: 'The file has no SQLite header.',
    cause: 'It is encrypted, it is not a database, or its beginning was overwritten.',
  },
  EMPTY_FILE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'the file has no bytes; if it held data, restore it from a backup',
    otherwise: null,
    means: 'The file has no bytes. Neither the ledger nor a WAL beside it shows that it ever had any.',
    cause: 'A database that was never written to, or a file that was cut to nothing.',
  },
  NOT_FOUND: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'check the path',
    otherwise: null,
    means: 'The path leads to no file or folder.',
    cause:
      'A wrong path, a name that is too long, symbolic links in a circle, or a file or a current folder that ' +
      'was removed.',
  },
  NOT_A_FILE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'name a regular file, or a folder that holds databases',
    otherwise: null,
    means: 'The path is not a regular file.',
    cause: 'A socket, a pipe, a device, or a folder without databases.',
  },
  NO_PERMISSION: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'check owner, mode and attributes of the path and of the folders above it (`namei -l`, `lsattr -d`)',
    otherwise: null,
    means: 'holdfast may not open or write the file or folder.',
    cause:
      'Another owner or mode, a read-only file system, the immutable attribute, or a file server that refuses root.',
  },
  PATH_OUTSIDE_ROOTS: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'the service named a file outside tenants.roots; correct the roots, or find out why the service named it',
    otherwise: null,
    means: 'The service named a file outside the folders that holdfast may touch.',
    cause: 'A configuration that is too narrow, a symbolic link, or a service that cannot be trusted.',
  },
  MANY_NAMES: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'a database with several names loses its journal under the other names; leave it one name, and no ' +
      'symbolic links in its live set',
    otherwise: null,
    means: 'The database has several names.',
    cause:
      'Hard links, or symbolic links inside its live set. SQLite does not find a journal that was written ' +
      'under another name.',
  },
  TOO_LARGE_FOR_PAUSE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'for a short pause, use WAL mode or a file system with reflinks (xfs, btrfs); or raise hold.maxPause',
    otherwise: null,
    means: 'Copying this file would pause the tenant for too long.',
    cause: 'A large rollback-journal database on a file system that must copy every byte.',
  },
} as const satisfies Record<string, FailureKind>
