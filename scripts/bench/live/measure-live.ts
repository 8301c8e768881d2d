/**
 * What it costs to copy a database beside a program that writes to it: time, bytes, and how long the program's
 * transactions take, for each way. Each phase of copies is followed by one of the same length without any: figures of
 * one machine differ too much from one minute to the next.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startHoldProcesses, type HoldProcesses } from '../../../src/hold/hold-processes.ts'
import { makeBenchTenant } from '../databases.ts'
import { startService, type BenchService } from '../service-process.ts'
import { spreadOf, type Spread } from '../units.ts'
import { mountXfs, whyNoXfs, type Workspace } from '../workspace.ts'
import { byCp, byHoldfast, otherWays, pinAlone, warmTheCache, type OneCopy, type Way } from './ways.ts'

export interface LiveBenchOptions {
  readonly bytes: number
  readonly rounds: number
}

export interface WayFigures {
  readonly name: string
  readonly copies: number
  readonly ms: Spread
  readonly heldMs: Spread
  readonly bytes: Spread
  /** Milliseconds of the transactions that were due beside the copies, and in the phases without any. */
  readonly beside: Spread
  readonly idle: Spread
  /** Why copies did not come about, each once. */
  readonly failures: readonly string[]
}

export interface SubjectFigures {
  readonly name: string
  readonly perSecond: number
  /** The machine does not reach so many transactions a second, so nothing was measured. */
  readonly tooSlow: boolean
  readonly ways: readonly WayFigures[]
}

export interface LiveFigures {
  readonly bytes: number
  readonly subjects: readonly SubjectFigures[]
  /** Each with the reason. */
  readonly notMeasured: readonly string[]
}

interface Subject {
  readonly name: string
  readonly mode: 'wal' | 'delete'
  readonly shares: boolean
  readonly perSecond: number
  readonly others: readonly Way[]
}

const subjects: readonly Subject[] = [
  { name: 'WAL', mode: 'wal', shares: false, perSecond: 200, others: otherWays },
  { name: 'WAL', mode: 'wal', shares: false, perSecond: 2000, others: [pinAlone, byCp] },
  { name: 'WAL, shared blocks (xfs)', mode: 'wal', shares: true, perSecond: 200, others: [] },
  { name: 'rollback journal', mode: 'delete', shares: false, perSecond: 30, others: [byCp] },
  { name: 'rollback journal, shared blocks (xfs)', mode: 'delete', shares: true, perSecond: 30, others: [] },
]

/** Transactions of each kind of phase, over all rounds. */
const transactionsMin = 1_000
const phaseMsMin = 2_000
const phaseMsMax = 5_000
const betweenCopiesMs = 100
/** A machine on which half of all transactions take so long without us is too slow for so many. */
const tooSlowMs = 100

export async function measureLive(workspace: Workspace, options: LiveBenchOptions): Promise<LiveFigures> {
  const measured: SubjectFigures[] = []
  const notMeasured: string[] = []
  await using processes = await startHoldProcesses()
  for (const [at, subject] of subjects.entries()) {
    const why = subject.shares ? whyNoXfs() : null
    if (why !== null) notMeasured.push(`${subject.name}: ${why}`)
    else if (!workspace.hasTime) notMeasured.push(`${subject.name}: no time was left (--seconds)`)
    else measured.push(await measureSubject(workspace, processes, subject, options, `live-${at}`))
    const last = measured.at(-1)
    if (last?.tooSlow === false && last.ways.length === 0)
      notMeasured.push(`${measured.pop()?.name}: no time was left (--seconds)`)
  }
  return { bytes: options.bytes, subjects: measured, notMeasured }
}

async function measureSubject(
  workspace: Workspace,
  processes: HoldProcesses,
  { name, mode, shares, perSecond, others }: Subject,
  { bytes, rounds }: LiveBenchOptions,
  id: string,
): Promise<SubjectFigures> {
  const shown = `${name}, ${perSecond} transactions a second`
  workspace.report(`${shown}: making the file`)
  using mounted = shares ? mountXfs(workspace, id, bytes * 4 + 200_000_000) : null
  const folder = mounted?.folder ?? join(workspace.folder, id)
  const files = join(folder, 'files')
  mkdirSync(files, { recursive: true })
  const snapshots = join(folder, 'snapshots')
  mkdirSync(snapshots, { mode: 0o700 })
  const file = join(files, 'live.db')
  makeBenchTenant(file, bytes, mode)
  warmTheCache(file)
  await using service = await startService(files, join(workspace.folder, `${id}.sock`))
  await service.load('live', perSecond)
  await sleep(1_000, undefined, { signal: workspace.signal })
  const alone = spreadOf((await service.figures()).latencies)
  if (!(alone.p50 < tooSlowMs)) return { name, perSecond, tooSlow: true, ways: [] }
  const phaseMs = Math.min(phaseMsMax, Math.max(phaseMsMin, (transactionsMin * 1000) / perSecond / rounds))
  const ways: WayFigures[] = []
  for (const way of [byHoldfast(processes, snapshots), ...others]) {
    if (!workspace.hasTime) break
    workspace.report(`${shown}: ${way.name}`)
    ways.push(await measureWay(workspace, service, way, { file, to: join(folder, 'copy.db'), phaseMs, rounds }))
  }
  return { name, perSecond, tooSlow: false, ways }
}

interface Task {
  readonly file: string
  readonly to: string
  readonly phaseMs: number
  readonly rounds: number
}

async function measureWay(
  { signal }: Workspace,
  service: BenchService,
  way: Way,
  { file, to, phaseMs, rounds }: Task,
): Promise<WayFigures> {
  const copies: OneCopy[] = []
  const latencies = { beside: [] as number[], idle: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    await service.figures()
    const sinceMs = performance.now()
    while (performance.now() - sinceMs < phaseMs) {
      copies.push(await way.copy(file, to, phaseMs, signal))
      await sleep(betweenCopiesMs, undefined, { signal })
    }
    latencies.beside.push(...(await service.figures()).latencies)
    await sleep(performance.now() - sinceMs, undefined, { signal })
    latencies.idle.push(...(await service.figures()).latencies)
  }
  const made = copies.filter(({ failure }) => failure === null)
  return {
    name: way.name,
    copies: made.length,
    ms: spreadOf(made.map(({ ms }) => ms)),
    heldMs: spreadOf(made.flatMap(({ heldMs }) => (heldMs === null ? [] : [heldMs]))),
    bytes: spreadOf(made.map((copy) => copy.bytes)),
    beside: spreadOf(latencies.beside),
    idle: spreadOf(latencies.idle),
    failures: [...new Set(copies.flatMap(({ failure }) => (failure === null ? [] : [failure])))],
  }
}
