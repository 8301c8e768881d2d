/** What `status` and alarms judge absences by: sweeps, the list of tenants, and the run that works now. */
import type { Settings } from '../../config/settings.ts'
import { isStopped } from '../../host/process/processes.ts'
import type { LedgerReader, RecordedRegistry } from '../../ledger/ledger.ts'
import { goneRuns, runAtWork } from '../../ledger/run-lock/run-liveness.ts'
import { ageOf } from '../../model/age.ts'
import type { AbsenceTerms, ActiveRun, SweepFacts } from '../../report/status/absences.ts'
import { readRegistryCopy } from '../../runs/begin/registry-copy.ts'
import { readFleetCoverage } from '../fleet/fleet-coverage.ts'

/** A full sweep each night, and two hours for nights that differ. */
const usualMaxAgeMs = 26 * 3_600_000
const nightsDifferMs = 2 * 3_600_000
const runsReadMax = 1_000
/** A run writes a line for each pause and each check, and a check has a limit. Beside it there are rehearsals. */
const quietMs = 10 * 60_000

type FactSettings = Pick<Settings, 'file' | 'ledger' | 'service' | 'check' | 'backups' | 'sweep' | 'fleet'>

/** How old the last full sweep may be before an alarm says so. `status` has an option for it. */
export const alarmMaxAgeMs = ({ sweep }: FactSettings): number =>
  Math.max(usualMaxAgeMs, (sweep.maxAgeMs ?? 0) + nightsDifferMs)

/** @param own the id of our own run, which does not hang; null if we are none */
export async function readSweepFacts(
  ledger: LedgerReader,
  settings: FactSettings,
  own: string | null,
): Promise<SweepFacts> {
  const {
    ledger: { dir },
    service,
  } = settings
  const [runs, registry, [newest]] = [
    await ledger.lastRuns(runsReadMax),
    await newestRegistry(ledger, settings),
    await ledger.history(null, 1),
  ]
  const atWork = await findActiveRun(dir, service.name)
  const isGone = await goneRuns(dir, service.name)
  const gone = runs.filter(({ run, finished }) => finished === null && run !== own && isGone(run))
  return {
    runs,
    fleet: await readFleetCoverage(ledger, settings),
    lastSweep: await ledger.lastSweep(),
    registry,
    newestLineAt: newest?.at ?? null,
    gone: new Set(gone.map(({ run }) => run)),
    atWork: atWork?.run === own ? null : atWork,
  }
}

/** `reconcile` writes no line. If it got a list after the last run got none, the copy is younger than that line. */
async function newestRegistry(ledger: LedgerReader, settings: FactSettings): Promise<RecordedRegistry | null> {
  const read = await ledger.lastRegistry()
  if (read === null || read.source === 'live') return read
  const copy = await readRegistryCopy(settings)
  if (copy.kind !== 'read' || copy.takenAt <= read.at || ageOf(copy.takenAt, Date.now()) === null) return read
  return { source: 'live', since: copy.takenAt, at: copy.takenAt, run: read.run }
}

async function findActiveRun(dir: string, service: string): Promise<ActiveRun | null> {
  const owner = await runAtWork(dir, service)
  if (owner === null || owner.run === null) return null
  const { run, pid, since, startTime } = owner
  return { run, pid, since, stopped: isStopped(pid, startTime) }
}

export const absenceTermsOf = (
  { check, backups, sweep }: FactSettings,
  now: number,
  maxAgeMs: number,
): AbsenceTerms => ({
  now,
  maxAgeMs,
  budgetMs: sweep.budgetMs,
  quietMsMax: 2 * check.timeoutMs + quietMs,
  backupMaxAgeMs: backups === null ? null : backups.maxAgeMs,
})
