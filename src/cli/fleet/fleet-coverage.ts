/** What the runs of the fleet have checked on this host: each chunk is a run here, and none of them is a sweep. */
import type { Settings } from '../../config/settings.ts'
import type { LastResult, LedgerReader } from '../../ledger/ledger.ts'
import type { FleetCoverage } from '../../report/status/absences.ts'
import { readRegistryCopy } from '../../runs/begin/registry-copy.ts'

/**
 * Compares the newest list of the service with the newest checks. It takes about a second for 100,000 files.
 * @returns null if the host belongs to no fleet, or if it has no good list of its tenants
 */
export async function readFleetCoverage(
  ledger: Pick<LedgerReader, 'lastResults'>,
  settings: Pick<Settings, 'file' | 'service' | 'ledger' | 'fleet'>,
): Promise<FleetCoverage | null> {
  if (settings.fleet === null) return null
  const copy = await readRegistryCopy(settings)
  if (copy.kind !== 'read') return null
  const checkedAt = new Map(
    (await ledger.lastResults()).map((result) => [keyOf(result.tenant, result.path), fullCheckAt(result)]),
  )
  const listed = copy.tenants.flatMap(({ id, files }) => files.map((path) => checkedAt.get(keyOf(id, path)) ?? null))
  const reached = listed.filter((at) => at !== null)
  const isWhole = reached.length === listed.length && listed.length > 0
  // No spread: there may be more files than arguments that a call takes.
  const at = isWhole ? reached.reduce((oldest, one) => Math.min(oldest, one)) : null
  return { files: listed.length, reached: reached.length, at }
}

const keyOf = (tenant: string, path: string): string => JSON.stringify([tenant, path])

/**
 * When a check at full depth last reached the file, whatever came of it: a sweep counts it in the same way. A check
 * that read less does not count; then that which settled the file does.
 */
const fullCheckAt = ({ depth, at, settled }: LastResult): number | null =>
  depth === 'full' ? at : settled?.depth === 'full' ? settled.at : null
