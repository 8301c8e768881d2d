/**
 * Plans of tenants are kept in the ledger with the digests of what they were rehearsed on. So --apply can say whether
 * the file is still the same. They decide nothing: each --apply rehearses what the file holds then.
 */

import { openDescriptor } from '../../../host/files/descriptor.ts'
import { digestOf } from '../../../host/files/digest.ts'
import type { ChangeId, SnapshotPath } from '../../../model/brand.ts'
import { invariant } from '../../../model/bug.ts'
import type { PlannedRemedy } from '../../../model/result/remedy.ts'
import type { CheckedFile } from '../checked-group.ts'
import type { RemedyRun } from '../remedy-run.ts'
import type { ReadyFile } from './tried-remedy.ts'

/** @returns null for a bare file, which has no lines in a ledger @throws {Failure} LEDGER_UNUSABLE */
export async function keepPlan(
  { file, tried }: ReadyFile,
  plan: ChangeId,
  { context: { ledger } }: RemedyRun,
  signal: AbortSignal,
): Promise<PlannedRemedy | null> {
  const { tenant, named: path } = file.target
  if (ledger === null || tenant === null) return null
  const before = await settledDigest(file, signal)
  const after = await digestOfCopy(tried.candidate.path, signal)
  await ledger.append({ kind: 'remedy-planned', tenant, path, plan, remedy: tried.plan.do, before, after })
  return { id: plan, at: new Date().toISOString(), same: true }
}

/** So many of the newest lines of a tenant are read to find its last plan. */
const linesRead = 1000

/**
 * The newest plan of this file and this command, unless the file was changed since.
 * @returns null if the ledger has none @throws {Failure} LEDGER_UNUSABLE
 */
export async function earlierPlan(
  { file }: ReadyFile,
  { context: { ledger }, mode }: RemedyRun,
  signal: AbortSignal,
): Promise<PlannedRemedy | null> {
  const { tenant, named } = file.target
  if (ledger === null || tenant === null) return null
  for (const { at, event } of await ledger.history(tenant, linesRead)) {
    if (event.kind === 'change-begun' && event.path === named) return null
    if (event.kind !== 'remedy-planned' || event.path !== named) continue
    if ((event.remedy === 'restore') !== (mode === 'restore')) continue
    const same = event.before === (await settledDigest(file, signal))
    return { id: event.plan, at: new Date(at).toISOString(), same }
  }
  return null
}

/** Of what SQLite makes of the snapshot: a WAL that was only written back since changes nothing. */
async function settledDigest({ held, settled }: CheckedFile, signal: AbortSignal): Promise<string> {
  invariant(held.kind === 'snapshot', 'a file that is ready was held')
  const { files, path } = held.snapshot
  const [main, ...others] = files
  if (main !== undefined && others.length === 0) return main.sha256
  return digestOfCopy(settled?.path ?? path, signal)
}

async function digestOfCopy(path: SnapshotPath, signal: AbortSignal): Promise<string> {
  using file = openDescriptor(path, 'read-only')
  return (await digestOf(file.number, signal)).sha256
}
