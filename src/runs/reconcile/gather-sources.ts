/** Reads what is compared: the service's list, the files below the roots, the backups and the ledger. */

import { openBackups } from '../../backup/store.ts'
import type { Settings } from '../../config/settings.ts'
import { findChanges } from '../../hold/change/recovery/find-changes.ts'
import { findUnclaimed, type UnclaimedFiles } from '../../hold/live/find-unclaimed.ts'
import { realPathOf } from '../../host/files/path-kind.ts'
import { isOfRunningRun, findAbandonedHolds } from '../../ledger/at-work.ts'
import type { LastResult, LedgerReader, RecordedRun } from '../../ledger/ledger.ts'
import { goneRuns } from '../../ledger/run-lock/run-liveness.ts'
import type { OpenHold } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import { mayBeOurs, type OtherHold } from '../../model/service-way.ts'
import { readRegistry, targetsOf, type RegistryReader, type ServiceRegistry } from '../begin/registry.ts'
import type { Target } from '../begin/target.ts'
import { inspectClaimed, type ClaimedFile } from './claimed-files.ts'

export interface Sources {
  readonly registry: ServiceRegistry
  /** Just before the service was asked for the list; for a copy, when the service gave it. ms since 1970. */
  readonly listedAt: number
  readonly claimed: readonly ClaimedFile[]
  readonly unclaimed: UnclaimedFiles
  readonly results: readonly LastResult[]
  /** When the last sweep began that checked all tenants; null if there was none. ms since 1970. */
  readonly sweptFrom: number | null
  readonly holds: readonly (OpenHold & { readonly running: boolean })[]
  readonly otherHolds: readonly OtherHold[]
  readonly changes: readonly OpenChange[]
  /** null if no backups are configured. */
  readonly backups: readonly FileWithBackups[] | null
  /** Sources, or parts of them, that could not be read. */
  readonly unread: readonly { readonly what: string; readonly why: string }[]
}

/** A change of live files whose end is not recorded. */
interface OpenChange {
  readonly change: string
  readonly tenant: string | null
  readonly paths: readonly string[]
  readonly running: boolean
}

/** A file of which there are backups. */
interface FileWithBackups {
  readonly tenant: string
  readonly path: string
  readonly verified: boolean
}

export interface SourcesReader extends RegistryReader {
  readonly settings: Settings
  readonly reading: LedgerReader
}

const foldersMax = 100_000
const runsMax = 1_000

/** @throws {Failure} REGISTRY_STALE, ADMIN_UNREACHABLE and the like; LEDGER_UNUSABLE */
export async function gatherSources(reader: SourcesReader): Promise<Sources> {
  const { settings, reading, signal, now } = reader
  const unread: { readonly what: string; readonly why: string }[] = []
  const results = await reading.lastResults()
  const askedAt = now()
  let listedAt = askedAt
  const registry = await readRegistry(
    {
      ...reader,
      onRegistry: (source, notices) => {
        if (source.source === 'cached') listedAt = source.since
        reader.onRegistry(source, notices)
      },
    },
    results,
  )
  const targets = targetsOf(registry.tenants)
  const claimed = await inspectClaimed(targets, settings.tenants.roots, signal)
  return {
    registry,
    listedAt,
    claimed,
    unclaimed: await searchRoots(settings, targets, claimed, unread, signal),
    results,
    sweptFrom: beginOfLastSweep(await reading.lastRuns(runsMax)),
    ...(await openHoldsOf(reader)),
    changes: await openChangesOf(settings, unread),
    backups: await backedUpOf(settings, unread),
    unread,
  }
}

async function searchRoots(
  settings: Settings,
  targets: readonly Target[],
  claimed: readonly ClaimedFile[],
  unread: { readonly what: string; readonly why: string }[],
  signal: AbortSignal,
): Promise<UnclaimedFiles> {
  const roots: string[] = []
  for (const root of settings.tenants.roots) {
    const real = await realPathOf(root)
    if (real === null) unread.push({ what: root, why: 'this root does not exist, or cannot be inspected' })
    // A root within another one is searched with it.
    else if (!roots.some((other) => real === other || real.startsWith(`${other}/`))) roots.push(real)
  }
  const own = new Set<string>()
  for (const dir of ownFolders(settings)) own.add((await realPathOf(dir)) ?? dir)
  const names = new Set([...targets.map(({ named }) => named), ...claimed.flatMap(({ found }) => found?.real ?? [])])
  const found = await findUnclaimed({ roots, isClaimed: (path) => names.has(path), own, foldersMax, signal })
  unread.push(...found.unsearched.map(({ path, why }) => ({ what: path, why })))
  return found
}

/** Drafts, originals and backups of holdfast are no files of the service. */
const ownFolders = ({ snapshots, backups, quarantine, accounts, ledger }: Settings): readonly string[] => [
  snapshots.dir,
  ...(backups === null ? [] : [backups.dir]),
  quarantine.dir,
  accounts.dir,
  ledger.dir,
]

const beginOfLastSweep = (runs: readonly RecordedRun[]): number | null =>
  runs.find(({ finished }) => finished?.whole === true && finished.covered === finished.selected)?.startedAt ?? null

async function openHoldsOf({
  settings: { ledger, service },
  reading,
  now,
}: SourcesReader): Promise<Pick<Sources, 'holds' | 'otherHolds'>> {
  const holds = await Promise.all(
    (await reading.openHolds()).map(async (hold) => ({
      ...hold,
      running: await isOfRunningRun(ledger.dir, service.name, hold, now()),
    })),
  )
  const otherHolds = (await findAbandonedHolds(await reading.otherHolds(), ledger.dir)).filter(mayBeOurs)
  return { holds, otherHolds }
}

/** A record with one of these states has not come to its end. */
const openStates = new Set(['kept', 'prepared', 'undoing'])

async function openChangesOf(
  { quarantine, ledger, service }: Settings,
  unread: { readonly what: string; readonly why: string }[],
): Promise<Sources['changes']> {
  try {
    const isGone = await goneRuns(ledger.dir, service.name)
    return findChanges({ kind: 'quarantine', folder: quarantine.dir })
      .filter(({ record }) => openStates.has(record.state))
      .map(({ record: { change, tenant, files, run } }) => ({
        change,
        tenant,
        paths: files.map(({ path }) => path),
        running: !isGone(run),
      }))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    unread.push({ what: quarantine.dir, why: error.message })
    return []
  }
}

async function backedUpOf(
  { backups, service }: Settings,
  unread: { readonly what: string; readonly why: string }[],
): Promise<Sources['backups']> {
  if (backups === null) return null
  const files = new Map<string, FileWithBackups>()
  try {
    for await (const { backup, manifest } of openBackups(backups.dir).list()) {
      const { tenant, path, state } = backup
      if (tenant === null || manifest === null || manifest.service !== service.name) continue
      const key = JSON.stringify([tenant, path])
      files.set(key, { tenant, path, verified: state === 'verified' || files.get(key)?.verified === true })
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    unread.push({ what: backups.dir, why: error.message })
    return null
  }
  return [...files.values()]
}
