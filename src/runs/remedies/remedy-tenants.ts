/** Remedies for tenants of a service: all files of each, in one hold and one change. */

import { openBackups } from '../../backup/store.ts'
import type { TenantId } from '../../model/brand.ts'
import { refusedTargets } from '../begin/refused-targets.ts'
import { pickTenants, readRegistry, targetsOf } from '../begin/registry.ts'
import { checkLimits } from '../begin/run-limits.ts'
import { type ServiceRun } from '../begin/service-run.ts'
import { workOnRemedies, type RemedyRequest } from './remedy-request.ts'
import type { RemedyObserver } from './remedy-run.ts'
import type { RemedyTotals } from './remedy-targets.ts'

/**
 * @throws {Failure} USAGE; TENANT_UNKNOWN, REGISTRY_STALE, ADMIN_UNREACHABLE and the like, before any tenant is paused
 */
export async function remedyTenants(
  run: ServiceRun,
  ids: readonly TenantId[],
  request: RemedyRequest,
  observer: RemedyObserver,
): Promise<RemedyTotals> {
  const { settings, service, ledger, context, signal } = run
  const registry = await readRegistry(run, await ledger.lastResults())
  const targets = targetsOf(pickTenants(registry, ids))
  const terms = { via: service.via, roots: settings.tenants.roots }
  const refused = await refusedTargets(targets, registry.tenants, terms, signal)
  const { backups, quarantine, accounts } = settings
  const places = {
    quarantine: quarantine.dir,
    accounts: accounts.dir,
    backups: backups === null ? null : openBackups(backups.dir),
    fetch:
      backups === null || backups.fetch === null ? null : { command: backups.fetch, service: settings.service.name },
  }
  // A change is judged by the file alone: a rule of the application must not put a damaged original back.
  const withoutInvariants = { ...context, invariants: [] }
  return workOnRemedies(
    targets,
    refused,
    request,
    { places, limits: checkLimits(settings), context: withoutInvariants },
    observer,
    signal,
  )
}
