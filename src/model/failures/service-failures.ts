/** What the service does or does not do: its admin API or hooks, its leases, its tenants. */
import { exitCodes } from '../exit-code.ts'
import type { FailureKind } from './failure-kind.ts'

export const serviceFailures = {
  ADMIN_UNREACHABLE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'doctor',
    hint:
      'is the service running, and does service.admin name its socket, or do the commands of service.hooks ' +
      'run? `holdfast doctor` tries each call',
    otherwise: 'is the service running, and does service.admin name its socket?',
    means: "The service's admin API did not answer, or a command of service.hooks did not run or failed.",
    cause: 'The service is down, its address is another, or there is no such program.',
  },
  ADMIN_REFUSED: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'doctor',
    hint: 'look at the token, its rights and the tenant id; `holdfast doctor` tries each call',
    otherwise: 'look at the token, its rights and the tenant id',
    means: 'The service refused the request.',
    cause: 'A wrong token, missing rights, or a tenant that it does not know.',
  },
  SERVICE_BUSY: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'check',
    hint: 'the service cannot quiesce this tenant now; the next sweep tries again',
    otherwise: null,
    means: 'The service cannot quiesce this tenant now.',
    cause: 'A migration or a restore runs, too many tenants are quiesced, or somebody else has the lease.',
  },
  CONTRACT_BROKEN: {
    tenant: 'unknown',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'doctor',
    hint: 'the service does not keep the admin contract; run `holdfast doctor` and show its owner the failing step',
    otherwise: 'show the owner of the service this step',
    means: 'The service said one thing and did another.',
    cause:
      'It still holds handles after quiesce, names other files than it uses, or answers what the contract does ' +
      'not know.',
  },
  QUIESCE_TIMEOUT: {
    tenant: 'unknown',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'check',
    hint: 'requests of this tenant did not drain in time; try at a quieter hour or raise hold.drainTimeout',
    otherwise: null,
    means: 'The tenant did not come to rest in time.',
    cause:
      'Requests or background jobs of the tenant run longer than hold.drainTimeout, or the service hangs while ' +
      'it closes the handles.',
  },
  LEASE_LOST: {
    tenant: 'unknown',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'check',
    hint: 'the pause outlasted the lease; raise hold.ttl, or use WAL or a reflink file system for a shorter pause',
    otherwise: null,
    means:
      'The pause ended before holdfast ended it, or the service did not confirm that it lasted. The copy was ' +
      'thrown away, unless kernel leases stood on every file until it was proven. Such a copy was checked, and ' +
      'damage in it is real.',
    cause: 'The copy took longer than the lease, or the service restarted or died.',
  },
  RESUME_FAILED: {
    tenant: 'maybe-paused',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: true, // A tenant may be paused: no other tenant is paused beside it.
    next: 'explain',
    hint:
      'run `holdfast resume --all` now; a lease ends by itself at its deadline, but ONLY A RESUME ENDS A PAUSE ' +
      'BY HOOKS',
    otherwise:
      'look at the log of the service and let its owner resume the tenant there; `holdfast doctor` tries each ' +
      'call. A lease ends by itself at its deadline, but ONLY A RESUME ENDS A PAUSE BY HOOKS',
    means: 'The tenant was not seen serving again. It may still stand still.',
    cause: 'The service refused or lost the resume, or came back unwell.',
  },
  REGISTRY_STALE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'doctor',
    hint: 'the service gives no valid list of tenants; `holdfast doctor` tries its admin API or service.hooks',
    otherwise: 'show the owner of the service this step',
    means: 'There is no valid list of tenants.',
    cause:
      'The admin API, or the command service.hooks.tenants, gives none, or one that does not fit or ' +
      'contradicts itself.',
  },
  TENANT_UNKNOWN: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.usage, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: '`holdfast status` lists the tenants that are known',
    otherwise: null,
    means: 'No tenant has this id, or none matches the pattern.',
    cause: 'A slip of the pen, or a tenant that was removed.',
  },
  TENANT_GONE: {
    tenant: 'unknown',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'the service no longer lists this tenant; if it was removed on purpose, do nothing: later runs do not ' +
      'name it',
    otherwise: null,
    means: 'A tenant that was known is in the registry no longer.',
    cause: 'It was removed, or the service lost sight of it.',
  },
  FILE_GONE: {
    tenant: 'unknown',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'the service lists this tenant without this file; if that is on purpose, do nothing: later runs do not ' +
      'name it',
    otherwise: null,
    means: 'A file that was known is no longer among those that the service lists for its tenant.',
    cause: 'It was moved, renamed or removed, or the service once named a wrong path.',
  },
} as const satisfies Record<string, FailureKind>
