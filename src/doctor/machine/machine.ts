/** The doctor's steps about this machine: folders, file systems, the ledger, and a whole hold on a test database. */

import { stat } from 'node:fs/promises'
import { requiredLevel } from '../../config/levels/required-level.ts'
import type { RequiredLevel, Settings } from '../../config/settings.ts'
import { startHoldProcesses } from '../../hold/hold-processes.ts'
import { hold, unbounded } from '../../hold/hold.ts'
import { isTrusted } from '../../hold/preflight.ts'
import { draftName } from '../../hold/snapshot/draft.ts'
import { requirePrivateFolder } from '../../hold/snapshot/private-folder.ts'
import { openFolderOfRun, openSnapshotFolder } from '../../hold/snapshot/temporary-folder.ts'
import { fileSystemOf } from '../../host/files/file-system.ts'
import type { LedgerReader } from '../../ledger/ledger.ts'
import { invariant } from '../../model/bug.ts'
import type { OpenHold } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import type { OtherHold } from '../../model/service-way.ts'
import { count } from '../../text/count.ts'
import { fit, notTried, step, warning, type DoctorStep, type StepOutcome } from '../steps.ts'
import { checkTestDatabase } from './check-test-database.ts'
import { makeTestDatabase } from './test-database.ts'

/** The open holds in the ledger. */
export interface RecordedOpenHolds {
  /** Of this service as it is reached now. */
  readonly ours: readonly OpenHold[]
  readonly others: readonly OtherHold[]
}

/**
 * @param ledger opened by the caller, or why it could not be opened
 * @param left its open holds, or why they could not be read
 */
export async function examineMachine(
  settings: Settings,
  ledger: LedgerReader | Failure,
  left: RecordedOpenHolds | Failure,
  signal: AbortSignal,
): Promise<readonly DoctorStep[]> {
  const { roots } = settings.tenants
  return [
    ...(await Promise.all(roots.map((root) => step(`root ${root}`, () => examineRoot(root, settings))))),
    await step('snapshot folder', () => examineSnapshotFolder(settings.snapshots.dir)),
    await step('check', () => checkTestDatabase(settings, signal)),
    await step('ledger', () => Promise.resolve(judgeLedger(ledger, left))),
    ...(await Promise.all(
      roots.map((root) => step(`hold in ${root}`, () => holdTestDatabase(root, settings, signal))),
    )),
  ]
}

async function examineRoot(root: string, settings: Settings): Promise<StepOutcome> {
  const fileSystem = await fileSystemOf(root)
  const said = `${fileSystem.type} at ${fileSystem.mountPoint}`
  if (!isTrusted(fileSystem, settings.tenants.trustMounts)) throw new Failure('LOCKS_UNTRUSTED', said)
  if (fileSystem.type === 'overlay')
    return warning(
      `${said}: a kernel lease sees only this mount`,
      'run holdfast where the files lie on the disk itself, or set hold.require: exclusive',
    )
  return fit(said)
}

async function examineSnapshotFolder(folder: string): Promise<StepOutcome> {
  await requirePrivateFolder(folder)
  const { mode } = await stat(folder)
  return fit(`${folder}, mode ${(mode & 0o777).toString(8)}`)
}

/** No run works on these holds, as the caller has seen: a tenant with an open one may be paused. */
function judgeLedger(ledger: LedgerReader | Failure, left: RecordedOpenHolds | Failure): StepOutcome {
  if (ledger instanceof Failure && ledger.code === 'RUN_ACTIVE')
    return notTried('another run uses it, so it was not checked', 'try again when that run is over')
  if (ledger instanceof Failure) throw ledger
  if (left instanceof Failure) throw left
  if (left.ours.length > 0) {
    const tenants = [...new Set(left.ours.map(({ tenant }) => tenant))]
    const named = `${tenants.slice(0, tenantsNamedMax).join(', ')}${tenants.length > tenantsNamedMax ? ', …' : ''}`
    const open = count(left.ours.length, 'hold stands open', 'holds stand open')
    const said = `${open}, and may keep a tenant still: ${named}`
    return { outcome: 'paused', said, next: 'holdfast resume --all' }
  }
  if (ledger.notice !== null) return warning(ledger.notice, 'keep the renamed file if its history matters')
  return fit(left.others.length === 0 ? 'opens, and no tenant is known to be paused (no hold is open)' : 'opens')
}

const tenantsNamedMax = 10

/** No program uses the test database: it is held, also where tenants are only pinned. */
function levelOfTest({ hold }: Settings): RequiredLevel {
  const level = requiredLevel(hold.require, null)
  return level === 'pinned' ? 'exclusive' : level
}

/**
 * A whole hold on a test database in the tenants' root: locks, probe, leases and copy are tried for real. The service's
 * user may rename in the root, so the folder is opened by its descriptor, and a file anywhere else is refused.
 */
async function holdTestDatabase(root: string, settings: Settings, signal: AbortSignal): Promise<StepOutcome> {
  await using folder = await openSnapshotFolder(settings.snapshots.dir, null)
  await using inRoot = await openFolderOfRun(root, '.holdfast-doctor-')
  const path = inRoot.folder.at('.')
  const named = await makeTestDatabase(path)
  await using holdProcesses = await startHoldProcesses()
  const [held] = await hold(
    {
      files: [{ named, expected: false, abandonedPauseMs: null, name: draftName('doctor'), onStep: () => undefined }],
      roots: [path],
      connection: null,
      folder: folder.path,
      bounds: unbounded,
      settings: {
        ...settings.hold,
        require: levelOfTest(settings),
        live: settings.live,
        trustMounts: settings.tenants.trustMounts,
      },
    },
    holdProcesses,
    signal,
  )
  invariant(held, 'a hold has an outcome for each file')
  if (held.kind !== 'snapshot') throw held.failure
  await using _snapshot = held.snapshot
  return fit(
    `lock, probe, lease, copy: ${held.record.evidence.level}, by ${held.record.evidence.snapshot?.method ?? 'copy'}`,
  )
}
