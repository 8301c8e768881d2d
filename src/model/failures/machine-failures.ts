/** What this machine lacks or refuses: locks, kernel leases, space, confinement, the folders of holdfast itself. */
import { exitCodes } from '../exit-code.ts'
import type { FailureKind } from './failure-kind.ts'

export const machineFailures = {
  LOCK_NOT_HONOURED: {
    tenant: 'unknown',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: true, // The locks of this machine exclude nothing.
    next: 'doctor',
    hint:
      'locks on this machine do not exclude anybody: stop using holdfast here and look at the mount; `holdfast ' +
      'doctor`',
    otherwise: 'locks on this machine exclude nobody: do not use holdfast here, and look at the mount',
    means: 'A second process was let in although we hold the lock. Locks on this machine protect nobody.',
    cause:
      'A mount that grants every lock, or a library that fakes them. The whole run was stopped: going on could ' +
      'corrupt what it checks.',
  },
  LOCKS_UNTRUSTED: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'locks are not dependable on this file system; run holdfast where the disk is local, or name the mount ' +
      'in tenants.trustMounts',
    otherwise: null,
    means: 'The file lies on a file system whose locks are not dependable.',
    cause: 'NFS, SMB, 9p, FUSE, virtiofs or an unknown kind.',
  },
  LEASE_UNAVAILABLE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'run as the owner of the file or with CAP_LEASE on a local file system, or allow the weaker level with ' +
      'hold.require: exclusive',
    otherwise: null,
    means: 'The kernel gave no lease, so the strongest proof cannot be had.',
    cause: 'Another owner without CAP_LEASE, or a file system without leases.',
  },
  GUARDIAN_LOST: {
    tenant: 'unknown',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: true, // Nothing is held without the guardian.
    next: 'check',
    hint: 'the guardian process ended; nothing is held without it; look for an out-of-memory kill and run again',
    otherwise: null,
    means: 'The small process that would have ended a stuck hold is gone.',
    cause: 'Somebody or the out-of-memory killer ended it.',
  },
  READ_FAILED: {
    tenant: 'unknown',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'the operating system refused; look at the kernel log (`dmesg`), and at free descriptors and memory',
    otherwise: null,
    means: 'The operating system refused to read or write where holdfast had to; nothing is said about the data.',
    cause:
      'A disk that fails (EIO), a limit on open files or memory, a file system that was unmounted or became ' +
      'read-only, or another program that changed the private copy before it was read.',
  },
  NO_SPACE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'free space in the snapshot folder, or name a folder on another disk in snapshots.dir (for files: ' +
      '`--snapshots DIR`, or TMPDIR)',
    otherwise: null,
    means: 'There is no room for what holdfast had to write. A snapshot also leaves a margin of 16 MiB to the service.',
    cause: 'A full disk, or a quota.',
  },
  SNAPSHOT_UNSAFE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: "the snapshot folder holds customers' data: make it a folder of its own with mode 0700",
    otherwise: null,
    means: 'Other users can read or write the folder for snapshots, or replace it.',
    cause:
      'A shared folder, a mode that is too open, or a folder above it in which another user may rename. A ' +
      'sticky folder such as /tmp may lie above it.',
  },
  CANNOT_CONFINE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: true, // No file would be read.
    next: 'explain',
    hint:
      'run holdfast as the user that owns the databases, or give root the missing capabilities; `holdfast ' +
      'doctor` tests it',
    otherwise: null,
    means:
      'holdfast could not confine the processes that read database files. A file may be hostile, so none was ' +
      'read.',
    cause:
      'For root: a container or service unit without CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_KILL, CAP_SETGID, ' +
      'CAP_SETUID or CAP_SYS_CHROOT. For other users: a kernel without seccomp.',
  },
  PLATFORM_UNSUPPORTED: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'holding needs Linux; elsewhere check a private copy with `holdfast check --snapshot FILE`',
    otherwise: null,
    means: 'This machine cannot hold live files.',
    cause: 'It is not Linux, or /proc is not mounted.',
  },
  LEDGER_UNUSABLE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: true, // holdfast asks for no pause that it cannot write down.
    next: 'explain',
    hint: 'the ledger cannot be used; look at ledger.dir, its owner and its free space',
    otherwise: null,
    means:
      'The ledger cannot be read or written, or another user could change it. Tenants that an earlier run left ' +
      'paused were resumed first, if the ledger could be read.',
    cause: 'The owner or mode of the ledger or of a folder above it, a full disk, or damage.',
  },
} as const satisfies Record<string, FailureKind>
