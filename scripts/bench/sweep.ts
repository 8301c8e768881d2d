/** Whole sweeps against a shell loop over the same files, in turn, and how much memory the sweep uses. */
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeBenchTenants } from './databases.ts'
import { processorMsOfEnded, memoryUseOf, memoryUseOfEach, type MemoryUse } from './memory.ts'
import { startService, type BenchService } from './service-process.ts'
import { formatBytes } from './units.ts'
import type { Workspace } from './workspace.ts'

export interface SweepBenchOptions {
  readonly tenants: number
  readonly bytes: number
  readonly rounds: number
  readonly program: string
  readonly sweepsOnly: boolean
  /** More arguments for the sweep. */
  readonly args: readonly string[]
}

export interface TimedRun {
  readonly what: 'holdfast sweep' | 'holdfast check DIR' | 'shell loop' | 'watched sweep'
  readonly ms: number
  /** Processor time of all its processes, without the service. The better measure on a busy machine. */
  readonly processorMs: number
}

/** Memory at one moment, and the number of holds until then. */
interface Sample extends MemoryUse {
  readonly holds: number
}

export interface SweepFigures {
  readonly tenants: number
  readonly bytes: number
  readonly rounds: readonly TimedRun[]
  /** Median of ours divided by that of the loop, so 1 is as fast as the loop; null if nothing was compared. */
  readonly sweepByLoop: number | null
  readonly checkByLoop: number | null
  /** Of all watched sweeps, without the service. */
  readonly samples: readonly Sample[]
  /** Medians over the first and last thousand tenants of the last sweep, or over a tenth of them if that is less. */
  readonly first: MemoryUse | null
  readonly last: MemoryUse | null
  readonly mostMemory: MemoryUse | null
  readonly each: ReturnType<typeof memoryUseOfEach>
}

export async function measureSweep(workspace: Workspace, options: SweepBenchOptions): Promise<SweepFigures> {
  const files = join(workspace.folder, 'files')
  mkdirSync(files)
  workspace.report(`making ${options.tenants} tenants of ${formatBytes(options.bytes)}`)
  const { length: tenants } = makeBenchTenants(files, options.tenants, options.bytes)
  await using service = await startService(files, join(workspace.folder, 'admin.sock'))
  const sweep = ['sweep', '--config', writeConfiguration(workspace, files, service), ...options.args]
  const compared = options.sweepsOnly ? [] : await compareWithLoop(workspace, options, files, sweep)
  const watched = await watchSweeps(workspace, options, service, sweep)
  const rounds = [...compared, ...(options.sweepsOnly ? watched.rounds : [])]
  const share = Math.min(1_000, Math.ceil(tenants / 10))
  return {
    tenants: options.tenants,
    bytes: options.bytes,
    rounds,
    samples: watched.samples,
    each: watched.each,
    sweepByLoop: ratio(rounds, 'holdfast sweep'),
    checkByLoop: ratio(rounds, 'holdfast check DIR'),
    first: middle(watched.last.filter(({ holds }) => holds > 0 && holds <= share)),
    last: middle(watched.last.filter(({ holds }) => holds > tenants - share)),
    mostMemory: watched.samples.toSorted((a, b) => b.pss - a.pss)[0] ?? null,
  }
}

/** The loop, a sweep and a check of the folder, in turn. */
async function compareWithLoop(
  workspace: Workspace,
  options: SweepBenchOptions,
  files: string,
  sweep: readonly string[],
): Promise<readonly TimedRun[]> {
  const rounds: TimedRun[] = []
  for (let round = 0; round < options.rounds && workspace.hasTime; round++)
    rounds.push(
      await timeRun(workspace, 'shell loop', () => shellLoop(workspace, files)),
      await timeRun(workspace, 'holdfast sweep', () => holdfast(workspace, options, sweep, null)),
      await timeRun(workspace, 'holdfast check DIR', () => holdfast(workspace, options, ['check', files], null)),
    )
  return rounds
}

interface WatchedSweeps {
  readonly rounds: readonly TimedRun[]
  /** Of all sweeps. */
  readonly samples: readonly Sample[]
  /** Of the last sweep. */
  readonly last: readonly Sample[]
  readonly each: ReturnType<typeof memoryUseOfEach>
}

/** Watching slows a sweep, so sweeps that are compared with the loop are not watched. */
async function watchSweeps(
  workspace: Workspace,
  options: SweepBenchOptions,
  service: BenchService,
  sweep: readonly string[],
): Promise<WatchedSweeps> {
  const rounds: TimedRun[] = []
  const samples: Sample[] = []
  let last: Sample[] = []
  let each: ReturnType<typeof memoryUseOfEach> = []
  for (let round = 0; round < (options.sweepsOnly ? options.rounds : 1) && workspace.hasTime; round++) {
    const before = (await service.figures()).holds
    last = []
    const sample = async (pid: number): Promise<void> => {
      const use = memoryUseOf(pid)
      if (!use) return
      last.push({ ...use, holds: (await service.figures()).holds - before })
      if (each.length <= use.processes) each = memoryUseOfEach(pid)
    }
    rounds.push(await timeRun(workspace, 'watched sweep', () => holdfast(workspace, options, sweep, sample)))
    samples.push(...last)
  }
  return { rounds, samples, last, each }
}

function writeConfiguration(workspace: Workspace, files: string, { socket }: BenchService): string {
  const path = join(workspace.folder, 'holdfast.yaml')
  for (const name of ['snapshots', 'ledger']) mkdirSync(join(workspace.folder, name), { mode: 0o700 })
  writeFileSync(
    path,
    `service: { name: bench, admin: "unix:${socket}" }
tenants: { roots: [${JSON.stringify(files)}] }
snapshots: { dir: ${JSON.stringify(join(workspace.folder, 'snapshots'))} }
ledger: { dir: ${JSON.stringify(join(workspace.folder, 'ledger'))} }
`,
  )
  return path
}

async function timeRun(workspace: Workspace, what: TimedRun['what'], work: () => Promise<void>): Promise<TimedRun> {
  const processorMs = processorMsOfEnded()
  const startedAt = performance.now()
  await work()
  const ms = performance.now() - startedAt
  workspace.report(`${what}: ${(ms / 1000).toFixed(1)} s`)
  return { what, ms, processorMs: processorMsOfEnded() - processorMs }
}

/** As a person would type it. */
const shellLoop = (workspace: Workspace, files: string): Promise<void> =>
  run(
    workspace,
    'sh',
    [
      '-c',
      `cd "$1" && for f in *.db; do sqlite3 "$f" 'PRAGMA integrity_check' || exit 1; done > ../loop.txt`,
      'sh',
      files,
    ],
    null,
  )

function holdfast(
  workspace: Workspace,
  { program }: SweepBenchOptions,
  args: readonly string[],
  watch: Watch | null,
): Promise<void> {
  return run(workspace, process.execPath, [program, ...args, '--quiet'], watch)
}

type Watch = (pid: number) => Promise<void>
const watchEveryMs = 250

/**
 * Runs a program. If the measurement is interrupted, the program gets SIGTERM, and we wait until it has ended: a sweep
 * resumes its tenants first.
 * @param watch called with the pid at intervals; null if the program is only timed
 * @throws unless it exits with 0
 */
async function run(workspace: Workspace, command: string, args: readonly string[], watch: Watch | null): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => {
    output = (output + bytes.toString()).slice(-4_000)
  })
  const stop = (): void => void child.kill('SIGTERM')
  workspace.signal.addEventListener('abort', stop)
  let watching = Promise.resolve()
  const { pid } = child
  const timer =
    watch === null || pid === undefined
      ? null
      : setInterval(() => {
          watching = watching.then(() => watch(pid)).catch(() => undefined)
        }, watchEveryMs)
  try {
    const code = await new Promise<number | null>((resolve, reject) =>
      child.once('exit', resolve).once('error', reject),
    )
    workspace.signal.throwIfAborted()
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${output}`)
  } finally {
    if (timer !== null) clearInterval(timer)
    await watching
    workspace.signal.removeEventListener('abort', stop)
    rmSync(join(workspace.folder, 'loop.txt'), { force: true })
  }
}

function ratio(rounds: readonly TimedRun[], what: TimedRun['what']): number | null {
  const median = (which: TimedRun['what']): number | null => {
    const sorted = rounds
      .filter((round) => round.what === which)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? null
  }
  const ours = median(what)
  const loop = median('shell loop')
  return ours === null || loop === null ? null : ours / loop
}

function middle(samples: readonly Sample[]): MemoryUse | null {
  return samples.toSorted((a, b) => a.pss - b.pss)[Math.floor(samples.length / 2)] ?? null
}
