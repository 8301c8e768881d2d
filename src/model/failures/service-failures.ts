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
      'check that the service runs, and that service.admin names its socket or the commands of service.hooks ' +
      'run; `holdfast doctor` tries each call',
    otherwise: 'check that the service runs and that service.admin names its socket',
    means: 'The admin API of the service did not answer, or a command of service.hooks did not run or failed.',
    cause: 'The service is down, service.admin names another address, or there is no such program.',
  },
  ADMIN_REFUSED: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'doctor',
    hint: 'check the token, its rights and the tenant id; `holdfast doctor` tries each call',
    otherwise: 'check the token, its rights and the tenant id',
    means: 'The service refused the request.',
    cause: 'A wrong token, missing rights, or a tenant that the service does not know.',
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
    cause: 'A migration or a restore runs, too many tenants are quiesced, or another client has the lease.',
  },
  CONTRACT_BROKEN: {
    tenant: 'unknown',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'doctor',
    hint:
      'the service breaks the contract of the admin API; run `holdfast doctor` and show the owner of the ' +
      'service the step that fails',
    otherwise: 'show this to the owner of the service',
    means: 'The service said one thing and did another.',
    cause:
      'After a quiesce it still has open handles, or it names other files than it uses. Or it gives an answer that ' +
      'the contract does not know.',
  },
  QUIESCE_TIMEOUT: {
    tenant: 'unknown',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'check',
    hint: 'the requests of this tenant did not end in time; try again at a quieter hour or raise hold.drainTimeout',
    otherwise: null,
    means: 'The service could not stop using the tenant in time.',
    cause:
      'Requests or background jobs of the tenant run longer than hold.drainTimeout, or the service hangs ' +
      'while it closes its handles.',
  },
  LEASE_LOST: {
    tenant: 'unknown',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'check',
    hint:
      'the pause lasted longer than the lease; raise hold.ttl, or shorten the pause with WAL mode or a file ' +
      'system with reflinks (xfs, btrfs)',
    otherwise: null,
    means:
      'The pause ended before holdfast ended it, or the service did not confirm that it lasted. holdfast ' +
      'deleted the copy, unless kernel leases on every file lasted until the copy was proven. Such a copy ' +
      'was checked, and damage in it is real.',
    cause: 'The copy took longer than the lease, or the service restarted or died.',
  },
  RESUME_FAILED: {
    tenant: 'maybe-paused',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: true, // A tenant may be paused: no other tenant is paused beside it.
    next: 'explain',
    hint:
      'run `holdfast resume --all` now; a lease ends by itself at its deadline, but ONLY A RESUME ENDS A ' +
      'PAUSE BY HOOKS',
    otherwise:
      'read the log of the service and let its owner resume the tenant there; `holdfast doctor` tries each ' +
      'call. A lease ends by itself at its deadline, but ONLY A RESUME ENDS A PAUSE BY HOOKS',
    means: 'The tenant was not seen serving again. It may still be paused.',
    cause: 'The service refused the resume, the request or its answer was lost, or the tenant is not healthy.',
  },
  REGISTRY_STALE: {
    tenant: 'untouched',
    retry: true,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'doctor',
    hint:
      "no tenant was checked, and none was paused; mend the service's list of tenants: `holdfast doctor` tries its " +
      'admin API or service.hooks',
    otherwise: 'no tenant was checked, and none was paused; show this to the owner of the service',
    means:
      'There is no valid list of tenants, and no copy of one that is young enough (registry.grace). The run ended ' +
      'before its first tenant: none was checked, and none was paused.',
    cause:
      'The admin API, or the command service.hooks.tenants, gives no list, or a list that is invalid, ' +
      'contradicts itself, or is suddenly empty.',
  },
  TENANT_UNKNOWN: {
    tenant: 'untouched',
    retry: false,
    exit: { run: exitCodes.usage, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint: '`holdfast status` lists the known tenants',
    otherwise: null,
    means: 'No tenant has this id, or none matches the pattern.',
    cause: 'A typing mistake, or a tenant that was removed.',
  },
  TENANT_GONE: {
    tenant: 'unknown',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'the service no longer lists this tenant; if it was removed on purpose, do nothing: later runs do not ' +
      'report it',
    otherwise: null,
    means: 'A tenant that was known is no longer in the list of tenants.',
    cause: 'It was removed, or the service lost track of it.',
  },
  FILE_GONE: {
    tenant: 'unknown',
    retry: false,
    exit: { run: exitCodes.failed, result: exitCodes.failed },
    stopsRun: false,
    next: 'explain',
    hint:
      'the service lists this tenant without this file; if that is on purpose, do nothing: later runs do not ' +
      'report it',
    otherwise: null,
    means: 'The service no longer lists a file that it listed for this tenant before.',
    cause: 'The file was moved, renamed or removed, or the service once named a wrong path.',
  },
} as const satisfies Record<string, FailureKind>
