/** Compares the sources. What may be under way is no disagreement. Pure. */

import { reconciliationRules, type SourceDisagreement, type PendingDisagreement } from '../../model/reconciliation.ts'
import { shellWord, tenantWord } from '../../text/shell-words.ts'
import { isGone } from '../begin/registry.ts'
import type { ClaimedFile } from './claimed-files.ts'
import type { Sources } from './gather-sources.ts'

export interface SourceComparison {
  /** The gravest first. */
  readonly disagreements: readonly SourceDisagreement[]
  readonly inFlight: readonly PendingDisagreement[]
}

/** A disagreement, and why it may be none. */
type JudgedDisagreement = SourceDisagreement & { readonly underWay: string | null }

export function compareSources(sources: Sources): SourceComparison {
  const judged = [
    ...holdsLeftOpen(sources),
    ...changesLeftOpen(sources),
    ...claimedTwice(sources),
    ...claimsWithoutFile(sources),
    ...knownToLedgerAlone(sources),
    ...claimedByNone(sources),
    ...neverChecked(sources),
    ...withoutBackup(sources),
    ...backupsOfNone(sources),
  ].toSorted(byGravity)
  return {
    disagreements: judged.flatMap(({ underWay, ...one }) => (underWay === null ? [one] : [])),
    inFlight: judged.flatMap(({ rule, tenant, path, underWay }) =>
      underWay === null ? [] : [{ rule, tenant, path, why: underWay }],
    ),
  }
}

const byGravity = (a: JudgedDisagreement, b: JudgedDisagreement): number =>
  reconciliationRules.indexOf(a.rule) - reconciliationRules.indexOf(b.rule) ||
  (keyOfDisagreement(a) < keyOfDisagreement(b) ? -1 : 1)

export const keyOfDisagreement = ({
  rule,
  tenant,
  path,
}: Pick<SourceDisagreement, 'rule' | 'tenant' | 'path'>): string => JSON.stringify([rule, tenant, path])

/** An id that begins with a dash would be taken for an option. */
const ofTenant = (command: string, id: string): string =>
  `holdfast ${command} --tenant${id.startsWith('-') ? '=' : ' '}${shellWord(id)}`

function* holdsLeftOpen({ holds, otherHolds }: Sources): Generator<JudgedDisagreement> {
  const next = 'holdfast resume --all'
  for (const { tenant, askedAt, running } of holds)
    yield {
      rule: 'open-hold',
      tenant,
      path: null,
      said: `a hold on ${tenant} is open since ${timeText(askedAt)}, and no run works on it: it may be paused`,
      next,
      underWay: running ? 'a run that is at work holds it' : null,
    }
  for (const { tenant, askedAt, config } of otherHolds)
    yield {
      rule: 'open-hold',
      tenant,
      path: null,
      said: `a hold on ${tenant} is open since ${timeText(askedAt)}, and may have been made in another way`,
      next: `holdfast resume ${config === null ? '' : `--config ${shellWord(config)} `}${tenantWord(tenant)}`,
      underWay: null,
    }
}

function* changesLeftOpen({ changes }: Sources): Generator<JudgedDisagreement> {
  for (const { change, tenant, paths, running } of changes)
    yield {
      rule: 'open-change',
      tenant,
      path: paths[0] ?? null,
      said: `the change ${change} of ${paths.join(', ')} has not come to its end; the next run ends it`,
      next: tenant === null ? null : ofTenant('check', tenant),
      underWay: running ? 'a run that is at work makes this change' : null,
    }
}

/** Names and links count alike: what matters is the file. */
function* claimedTwice({ claimed }: Sources): Generator<JudgedDisagreement> {
  const byFile = Map.groupBy(
    claimed.filter(({ found }) => found !== null),
    ({ found }) => found?.identity ?? '',
  )
  for (const claims of byFile.values()) {
    const tenants = [...new Set(claims.map(({ tenant }) => tenant))]
    const [first] = claims
    if (first === undefined || tenants.length < 2) continue
    const names = claims.map(({ tenant, named }) => `${tenant} as ${named}`)
    yield {
      rule: 'claimed-twice',
      tenant: first.tenant,
      path: first.found?.real ?? first.named,
      said: `${tenants.length} tenants claim one file: ${names.join(', ')}; a pause of one does not stop the others`,
      next: null,
      underWay: null,
    }
  }
}

function* claimsWithoutFile({ claimed, registry }: Sources): Generator<JudgedDisagreement> {
  const old = registry.source === 'cached' ? 'the list of tenants is a copy' : null
  for (const { tenant, named, state, why } of claimed) {
    const about = { tenant, path: named }
    if (state === 'missing')
      yield {
        rule: 'missing-file',
        ...about,
        said: `the service lists ${named} for ${tenant}, and there is no such file`,
        next: ofTenant('restore', tenant),
        underWay: old,
      }
    if (state === 'outside')
      yield {
        rule: 'outside-roots',
        ...about,
        said: `the service lists a file of ${tenant} that holdfast may not touch: ${why}`,
        next: null,
        underWay: null,
      }
  }
}

/** A copy of the list shows nothing about what is gone. */
function* knownToLedgerAlone({ registry }: Sources): Generator<JudgedDisagreement> {
  for (const { tenant, path, failure } of registry.gone)
    yield {
      rule: failure.code === 'TENANT_GONE' ? 'tenant-gone' : 'file-gone',
      tenant,
      path,
      said: `${failure.message}; the ledger knows it`,
      next: `holdfast history ${tenantWord(tenant)}`,
      underWay: null,
    }
}

function* claimedByNone({ unclaimed, listedAt, claimed }: Sources): Generator<JudgedDisagreement> {
  const known = new Set(claimed.flatMap(({ found }) => found?.real ?? []))
  const newer = (madeAt: number): string | null => (madeAt >= listedAt ? 'it is newer than the list of tenants' : null)
  for (const { path, madeAt } of unclaimed.databases)
    if (!known.has(path))
      yield {
        rule: 'unknown-file',
        tenant: null,
        path,
        said: `${path} is a database, and no tenant claims it`,
        next: `holdfast check ${shellWord(path)}`,
        underWay: newer(madeAt),
      }
  for (const { path, madeAt } of unclaimed.companions) {
    const newest = path.endsWith('-shm') ? '' : '; it may hold its newest data'
    yield {
      rule: 'companion-without-main',
      tenant: null,
      path,
      said: `${path} belongs to a database that is not there${newest}`,
      next: null,
      underWay: newer(madeAt),
    }
  }
}

/** Before the first full sweep, nothing is said about this. */
function* neverChecked(sources: Sources): Generator<JudgedDisagreement> {
  const { claimed, results, sweptFrom } = sources
  if (sweptFrom === null) return
  const checked = new Set(results.map(({ tenant, path }) => JSON.stringify([tenant, path])))
  for (const claim of claimed) {
    if (claim.state !== 'there' || checked.has(JSON.stringify([claim.tenant, claim.named]))) continue
    yield {
      rule: 'never-checked',
      tenant: claim.tenant,
      path: claim.named,
      said: `the ledger knows no check of ${claim.named} of ${claim.tenant}, which is older than the last full sweep`,
      next: ofTenant('check', claim.tenant),
      underWay: newerThanSweep(claim, sources),
    }
  }
}

function* withoutBackup(sources: Sources): Generator<JudgedDisagreement> {
  const { backups, claimed } = sources
  if (backups === null) return
  const verified = new Set(
    backups.filter((one) => one.verified).map(({ tenant, path }) => JSON.stringify([tenant, path])),
  )
  for (const claim of claimed) {
    if (claim.state !== 'there' || verified.has(JSON.stringify([claim.tenant, claim.named]))) continue
    yield {
      rule: 'no-verified-backup',
      tenant: claim.tenant,
      path: claim.named,
      said: `${claim.named} of ${claim.tenant} has no verified backup`,
      next: `holdfast backups add ${tenantWord(claim.tenant)}`,
      underWay: newerThanSweep(claim, sources),
    }
  }
}

const newerThanSweep = ({ found }: ClaimedFile, { sweptFrom }: Sources): string | null =>
  sweptFrom !== null && found !== null && found.madeAt >= sweptFrom ? 'it is newer than the last full sweep' : null

/** Backups of what a sweep has reported as gone stay until a person removes them. */
function* backupsOfNone({ backups, registry, results }: Sources): Generator<JudgedDisagreement> {
  if (backups === null || registry.source === 'cached') return
  const { tenants } = registry
  const listed = new Map(tenants.map(({ id, files }) => [id as string, new Set(files)]))
  const reported = new Set(results.filter(isGone).map(({ tenant, path }) => JSON.stringify([tenant, path])))
  for (const { tenant, path } of backups) {
    if (listed.get(tenant)?.has(path) === true) continue
    const what = listed.has(tenant) ? `lists ${tenant} without this file` : `does not list ${tenant}`
    const before = reported.has(JSON.stringify([tenant, path])) ? '; a sweep has reported that it is gone' : ''
    yield {
      rule: 'backup-without-tenant',
      tenant,
      path,
      said: `there are backups of ${path} of ${tenant}, and the service ${what}${before}`,
      next: `holdfast backups list ${tenantWord(tenant)}`,
      underWay: null,
    }
  }
}

const timeText = (at: number): string =>
  Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : 'a time that no calendar has'
