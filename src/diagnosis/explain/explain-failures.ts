import type { FailureCode } from '../../model/failure.ts'
import type { Meaning } from './explain.ts'

/** Every failure code. What to do stands in the table of failures (model/failure.ts): one place only. */
export const failureMeanings: Readonly<Record<FailureCode, Omit<Meaning, 'todo'>>> = {
  ADMIN_UNREACHABLE: {
    means: "The service's admin API did not answer, or a command of service.hooks did not run or failed.",
    cause: 'The service is down, its address is another, or there is no such program.',
  },
  ADMIN_REFUSED: {
    means: 'The service refused the request.',
    cause: 'A wrong token, missing rights, or a tenant that it does not know.',
  },
  SERVICE_BUSY: {
    means: 'The service cannot quiesce this tenant now.',
    cause: 'A migration or a restore runs, too many tenants are quiesced, or somebody else has the lease.',
  },
  CONTRACT_BROKEN: {
    means: 'The service said one thing and did another.',
    cause:
      'It still holds handles after quiesce, names other files than it ' +
      'uses, or answers what the contract does not know.',
  },
  QUIESCE_TIMEOUT: {
    means: 'The tenant did not come to rest in time.',
    cause:
      'Requests or background jobs of the tenant run longer than ' +
      'hold.drainTimeout, or the service hangs while it closes the handles.',
  },
  LEASE_LOST: {
    means:
      'The pause ended before holdfast ended it, or the service did not confirm that it ' +
      'lasted. The copy was thrown away, unless kernel leases stood on every file until it ' +
      'was proven. Such a copy was checked, and damage in it is real.',
    cause: 'The copy took longer than the lease, or the service restarted or died.',
  },
  IN_USE: {
    means: 'The kernel says that somebody has the file open.',
    cause: 'A shell, a cron job or another program, perhaps one that only maps the file.',
  },
  LOCK_BUSY: { means: 'Somebody holds a lock on the database.', cause: 'A program reads or writes it right now.' },
  LOCK_NOT_HONOURED: {
    means: 'A second process was let in although we hold the lock. Locks on this machine protect nobody.',
    cause:
      'A mount that grants every lock, or a library that fakes them. The whole ' +
      'run was stopped: going on could corrupt what it checks.',
  },
  LOCKS_UNTRUSTED: {
    means: 'The file lies on a file system whose locks are not dependable.',
    cause: 'NFS, SMB, 9p, FUSE, virtiofs or an unknown kind.',
  },
  LEASE_UNAVAILABLE: {
    means: 'The kernel gave no lease, so the strongest proof cannot be had.',
    cause: 'Another owner without CAP_LEASE, or a file system without leases.',
  },
  WRITER_SEEN: {
    means: 'The file changed although its writer was said to stand still.',
    cause: 'Another writer, or a service that did not stop.',
  },
  COPY_CHANGED: {
    means: 'The file changed while it was copied. The copy was thrown away.',
    cause: 'A writer that came past the locks, or a file that was replaced under its path.',
  },
  GUARDIAN_LOST: {
    means: 'The small process that would have ended a stuck hold is gone.',
    cause: 'Somebody or the out-of-memory killer ended it.',
  },
  READ_FAILED: {
    means: 'The operating system refused to read or write where holdfast had to; nothing is said about the data.',
    cause:
      'A disk that fails (EIO), a limit on open files or memory, a file system that was unmounted or ' +
      'became read-only, or another program that changed the private copy before it was read.',
  },
  NO_SPACE: {
    means: 'There is no room for what holdfast had to write. A snapshot also leaves a margin of 16 MiB to the service.',
    cause: 'A full disk, or a quota.',
  },
  NOT_SQLITE: {
    means: 'The file has no SQLite header.',
    cause: 'It is encrypted, it is something else, or its beginning was overwritten.',
  },
  EMPTY_FILE: {
    means: 'The file has no bytes. Neither the ledger nor a WAL beside it shows that it ever had any.',
    cause: 'A database that was never written, or one that was cut to nothing.',
  },
  NOT_FOUND: {
    means: 'The path leads to no file or folder.',
    cause:
      'A wrong path, a name that is too long, links that lead in a ' +
      'circle, or a file or a current folder that went away.',
  },
  NOT_A_FILE: {
    means: 'The path is no regular file.',
    cause: 'A socket, a pipe, a device, or a folder without databases.',
  },
  NO_PERMISSION: {
    means: 'The file or folder may not be opened or written.',
    cause:
      'Another owner or mode, a read-only file system, the attribute that ' +
      'makes a file immutable, or a server that refuses root.',
  },
  PATH_OUTSIDE_ROOTS: {
    means: 'The service named a file outside the folders that holdfast may touch.',
    cause: 'A configuration that is too narrow, a symbolic link, or a service that is not to be trusted.',
  },
  MANY_NAMES: {
    means: 'The database has several names.',
    cause: 'Hard links, or symbolic links inside its live set: a journal under one name is unknown under the other.',
  },
  TOO_LARGE_FOR_PAUSE: {
    means: 'Copying this file would pause the tenant for too long.',
    cause: 'A large rollback-journal database on a file system that must copy every byte.',
  },
  RESUME_FAILED: {
    means: 'The tenant was not seen serving again. It may still stand still.',
    cause: 'The service refused or lost the resume, or came back unwell.',
  },
  RUN_ACTIVE: {
    means: 'Another run of holdfast works on this service.',
    cause:
      'A sweep, a check of tenants, or another command that pauses them. On a ledger folder that ' +
      'several machines share, also a run on another machine. The lock of a run that died there, ' +
      "or where the kernel's locks do not work, ends within a minute.",
  },
  CONFIG_INVALID: {
    means: 'The configuration cannot be used.',
    cause:
      'A line of it, which the message names. Or another user could change the ' +
      'configuration, the token, the certificates or a folder above them. Their owner must ' +
      'be root or the user that runs holdfast, and no other user may write them.',
  },
  REGISTRY_STALE: {
    means: 'There is no valid list of tenants.',
    cause:
      'The admin API, or the command service.hooks.tenants, gives none, ' +
      'or one that does not fit or contradicts itself.',
  },
  TENANT_UNKNOWN: {
    means: 'No tenant has this id, or none matches the pattern.',
    cause: 'A slip of the pen, or a tenant that was removed.',
  },
  TENANT_GONE: {
    means: 'A tenant that was known is in the registry no longer.',
    cause: 'It was removed, or the service lost sight of it.',
  },
  FILE_GONE: {
    means: 'A file that was known is no longer among those that the service lists for its tenant.',
    cause: 'It was moved, renamed or removed, or the service once named a wrong path.',
  },
  SNAPSHOT_UNSAFE: {
    means: 'Other users can read or write the folder for snapshots, or replace it.',
    cause:
      'A shared folder, a mode that is too open, or a folder above it in which another ' +
      'user may rename. A sticky folder such as /tmp may lie above it.',
  },
  CANNOT_CONFINE: {
    means:
      'holdfast could not confine the processes that read database files. A file may be hostile, so none was read.',
    cause:
      'For root: a container or service unit without CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_KILL, ' +
      'CAP_SETGID, CAP_SETUID or CAP_SYS_CHROOT. For other users: a kernel without seccomp.',
  },
  PLATFORM_UNSUPPORTED: {
    means: 'This machine cannot hold live files.',
    cause: 'It is not Linux, or /proc is not mounted.',
  },
  LEDGER_UNUSABLE: {
    means:
      'The ledger cannot be read or written, or another user could change it. Tenants that an ' +
      'earlier run left paused were resumed first, if the ledger could be read.',
    cause: 'The owner or mode of the ledger or of a folder above it, a full disk, or damage.',
  },
  INTERRUPTED: {
    means: 'Somebody ended the run. Whatever was paused was resumed first.',
    cause: 'Ctrl-C, a signal, or a shutdown.',
  },
  USAGE: { means: 'The command line was not understood.', cause: 'An unknown option or a missing argument.' },
}
