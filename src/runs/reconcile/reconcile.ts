/**
 * `reconcile`: the registry, the files, the backups and the ledger against each other (I2.3). Nothing is written but
 * the copy of the list of tenants, and no tenant is paused.
 */

import { sleep } from '../../host/clock.ts'
import type { ReconciledSources } from '../../model/reconciliation.ts'
import { compareSources, keyOfDisagreement, type SourceComparison } from './compare-sources.ts'
import { gatherSources, type Sources, type SourcesReader } from './gather-sources.ts'

export interface Reconciliation extends SourceComparison {
  readonly sources: ReconciledSources
  /** True if a copy of the list of tenants was compared. */
  readonly isCached: boolean
  readonly notCompared: readonly { readonly what: string; readonly why: string }[]
}

/** A service needs a moment between the file of a new tenant and its entry in the list. */
const betweenLooksMs = 1_000

/**
 * The sources change while they are read. So what disagrees is looked at twice, and counts only if it is found again.
 * @throws {Failure} REGISTRY_STALE, ADMIN_UNREACHABLE and the like; LEDGER_UNUSABLE
 */
export async function reconcile(reader: SourcesReader): Promise<Reconciliation> {
  const first = await gatherSources(reader)
  const before = compareSources(first)
  if (before.disagreements.length === 0) return outcomeOf(reader, first, before)
  await sleep(betweenLooksMs, reader.signal)
  const second = await gatherSources(reader)
  const after = compareSources(second)
  const seen = new Set(before.disagreements.map(keyOfDisagreement))
  const isNew = after.disagreements.filter((one) => !seen.has(keyOfDisagreement(one)))
  return outcomeOf(reader, second, {
    disagreements: after.disagreements.filter((one) => seen.has(keyOfDisagreement(one))),
    inFlight: [
      ...after.inFlight,
      ...isNew.map(({ rule, tenant, path }) => ({ rule, tenant, path, why: 'it came up between two looks' })),
    ],
  })
}

function outcomeOf({ settings }: SourcesReader, sources: Sources, compared: SourceComparison): Reconciliation {
  const { registry, claimed, unclaimed, results, backups, unread } = sources
  const unseen = claimed.filter(({ state }) => state === 'unseen')
  return {
    ...compared,
    isCached: registry.source === 'cached',
    notCompared: [...unread, ...unseen.map(({ named, why }) => ({ what: named, why }))],
    sources: {
      registry: { tenants: registry.tenants.length, files: claimed.length },
      files: {
        roots: settings.tenants.roots,
        folders: unclaimed.folders,
        mounts: unclaimed.mounts,
        links: unclaimed.links,
      },
      backups: backups === null ? null : { dir: settings.backups?.dir ?? '', files: backups.length },
      ledger: { files: results.length },
    },
  }
}
