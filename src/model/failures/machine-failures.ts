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
      'locks on this machine exclude no other process: stop using holdfast here and check the mount; ' +
      '`holdfast doctor` tests the locks',
    otherwise: 'locks on this machine exclude no other process: stop using holdfast here and check the mount',
    means: 'A second process got in although holdfast holds the lock. Locks on this machine protect nothing.',
    cause:
      'A mount that grants every lock, or a library that fakes locks. The whole run was stopped, because to ' +
      'go on could corrupt the files.',
  },
  PAUSE_TOO_LATE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.busy, result: exitCodes.failed },
    stopsRun: false,
    next: 'check',
    hint: 'this machine was too busy or frozen three times, so the tenant was not paused; check it again',
    otherwise: null,
    means:
      'In a fleet, a pause must begin within fleet.window after its slot was asked for. That time was over before ' +
      'the service was asked, so the tenant was not paused.',
    cause: 'A machine without processor time or memory to spare, a slow disk, or a process that was frozen.',
  },
  PAUSE_NOT_GRANTED: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.busy, result: exitCodes.busy },
    stopsRun: false,
    next: 'explain',
    hint: '`holdfast fleet status` shows how many slots are taken, and whether pauses are stopped',
    otherwise: null,
    means: 'In a fleet, no other tenant may be paused now. The tenant was not paused.',
    cause:
      'As many tenants are paused as the fleet allows, pauses were stopped in the whole fleet, or the database of ' +
      'the fleet does not answer.',
  },
  LOCKS_UNTRUSTED: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'locks are not reliable on this file system; run holdfast on the machine that has the disk, or name ' +
      'the mount in tenants.trustMounts',
    otherwise: null,
    means: 'The file lies on a file system whose locks are not reliable.',
    cause: 'NFS, SMB, 9p, FUSE, virtiofs or an unknown kind.',
  },
  LEASE_UNAVAILABLE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'run as the owner of the file, or with CAP_LEASE, on a local file system; or allow the weaker level ' +
      'with hold.require: exclusive',
    otherwise: null,
    means: 'The kernel granted no lease, so the strongest proof is not possible.',
    cause: 'Another owner without CAP_LEASE, or a file system without leases.',
  },
  GUARDIAN_LOST: {
    tenant: 'unknown',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: true, // Nothing is held without the guardian.
    next: 'check',
    hint:
      'the guardian process ended, and holdfast holds nothing without it; check the kernel log (`dmesg`) for an ' +
      'out-of-memory kill, and run again',
    otherwise: null,
    means: 'The guardian, the small process that ends a stuck hold, is gone.',
    cause: "A person or the kernel's out-of-memory killer ended it.",
  },
  READ_FAILED: {
    tenant: 'unknown',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: 'the operating system refused; check the kernel log (`dmesg`), free descriptors and free memory',
    otherwise: null,
    means: 'The operating system refused a read or a write that holdfast needs. This reports nothing about the data.',
    cause:
      'A disk that fails (EIO), a limit on open files or memory, or a file system that was unmounted or ' +
      'became read-only. Or another program changed the private copy before it was read.',
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
    means: 'There is no space for what holdfast must write. A snapshot also leaves a margin of 16 MiB to the service.',
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
      'A shared folder, a mode that is too open, or a folder above it in which another user may rename ' +
      'files. A sticky folder such as /tmp may be above it.',
  },
  CANNOT_CONFINE: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: true, // No file would be read.
    next: 'explain',
    hint:
      'run holdfast as the user that owns the databases, or give root the missing capabilities; ' +
      '`holdfast doctor` tests it',
    otherwise: null,
    means:
      'holdfast could not confine the processes that read database files. A file may be hostile, so holdfast ' +
      'read none.',
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
    hint: 'the ledger cannot be used; check ledger.dir, its owner and its free space',
    otherwise: null,
    means:
      'The ledger cannot be read or written, or another user could change it. If it could be read, holdfast ' +
      'first resumed the tenants that an earlier run left paused.',
    cause: 'The owner or mode of the ledger or of a folder above it, a full disk, or damage.',
  },
} as const satisfies Record<string, FailureKind>
