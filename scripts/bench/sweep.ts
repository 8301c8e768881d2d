/** Whole sweeps against a bare shell loop over the same files, in turn; and what the sweep weighs meanwhile. */
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeTenants } from './databases.ts'
import { processorMsOfEnded, weigh, weighEach, type Weight } from './processes.ts'
import { startService, type BenchService } from './service-process.ts'
import { bytesText } from './units.ts'
import type { Workplace } from './workplace.ts'

export interface SweepOptions {
  readonly tenants: number
  readonly bytes: number
  readonly rounds: number
  readonly program: string
  readonly onlySweep: boolean
  /** More arguments for the sweep. */
  readonly args: readonly string[]
}

export interface Timed {
  readonly what: 'holdfast sweep' | 'holdfast check DIR' | 'shell loop' | 'weighed sweep'
  readonly ms: number
  /**
   * Processor time of all its processes, on a machine of which others use a part the truer measure; the service's is
   * not in it.
   */
  readonly processorMs: number
}

/** Samples of the weight, with the number of holds by then. */
export interface Sample extends Weight {
  readonly holds: number
}

export interface SweepFigures {
  readonly tenants: number
  readonly bytes: number
  readonly rounds: readonly Timed[]
  /** Of the medians; null where nothing was compared. At most 1: at least as fast as the loop. */
  readonly sweepByLoop: number | null
  readonly checkByLoop: number | null
  /** Of all sweeps; processes of holdfast only, not the service. */
  readonly samples: readonly Sample[]
  /** Of the first and the last thousand tenants of the last sweep (or tenth, with fewer): the medians. */
  readonly first: Weight | null
  readonly last: Weight | null
  readonly heaviest: Weight | null
  readonly each: ReturnType<typeof weighEach>
}

export async function measureSweep(workplace: Workplace, options: SweepOptions): Promise<SweepFigures> {
  const files = join(workplace.folder, 'files')
  mkdirSync(files)
  workplace.tell(`making ${options.tenants} tenants of ${bytesText(options.bytes)}`)
  const paths = makeTenants(files, options.tenants, options.bytes)
  await using service = await startService(files, join(workplace.folder, 'admin.sock'))
  const configuration = writeConfiguration(workplace, files, service)
  const rounds: Timed[] = []
  const samples: Sample[] = []
  let each: ReturnType<typeof weighEach> = []
  let lastSweep: Sample[] = []
  for (let round = 0; round < options.rounds && workplace.hasTime && !options.onlySweep; round++) {
    rounds.push(await timed(workplace, 'shell loop', () => shellLoop(workplace, files)))
    rounds.push(
      await timed(workplace, 'holdfast sweep', () =>
        holdfast(workplace, options, ['sweep', '--config', configuration, ...options.args], null),
      ),
    )
    rounds.push(
      await timed(workplace, 'holdfast check DIR', () => holdfast(workplace, options, ['check', files], null)),
    )
  }
  // Weighing takes time of the processes that are weighed: where sweeps are measured against others, it has one of its
  // own.
  for (let round = 0; round < (options.onlySweep ? options.rounds : 1) && workplace.hasTime; round++) {
    const before = (await service.figures()).holds
    lastSweep = []
    const weighed = await timed(workplace, 'weighed sweep', () =>
      holdfast(workplace, options, ['sweep', '--config', configuration, ...options.args], async (pid) => {
        const weight = weigh(pid)
        if (!weight) return
        lastSweep.push({ ...weight, holds: (await service.figures()).holds - before })
        if (each.length <= weight.processes) each = weighEach(pid)
      }),
    )
    if (options.onlySweep) rounds.push(weighed)
    samples.push(...lastSweep)
  }
  const share = Math.min(1_000, Math.ceil(paths.length / 10))
  return {
    tenants: options.tenants,
    bytes: options.bytes,
    rounds,
    samples,
    each,
    sweepByLoop: ratio(rounds, 'holdfast sweep'),
    checkByLoop: ratio(rounds, 'holdfast check DIR'),
    first: middle(lastSweep.filter(({ holds }) => holds > 0 && holds <= share)),
    last: middle(lastSweep.filter(({ holds }) => holds > paths.length - share)),
    heaviest: samples.toSorted((a, b) => b.pss - a.pss)[0] ?? null,
  }
}

function writeConfiguration(workplace: Workplace, files: string, { socket }: BenchService): string {
  const path = join(workplace.folder, 'holdfast.yaml')
  for (const name of ['snapshots', 'ledger']) mkdirSync(join(workplace.folder, name), { mode: 0o700 })
  writeFileSync(
    path,
    `service: { name: bench, admin: "unix:${socket}" }
tenants: { roots: [${JSON.stringify(files)}] }
snapshots: { dir: ${JSON.stringify(join(workplace.folder, 'snapshots'))} }
ledger: { dir: ${JSON.stringify(join(workplace.folder, 'ledger'))} }
`,
  )
  return path
}

async function timed(workplace: Workplace, what: Timed['what'], work: () => Promise<void>): Promise<Timed> {
  const processorMs = processorMsOfEnded()
  const startedAt = performance.now()
  await work()
  const ms = performance.now() - startedAt
  workplace.tell(`${what}: ${(ms / 1000).toFixed(1)} s`)
  return { what, ms, processorMs: processorMsOfEnded() - processorMs }
}

/** As somebody would type it. */
const shellLoop = (workplace: Workplace, files: string): Promise<void> =>
  run(
    workplace,
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
  workplace: Workplace,
  { program }: SweepOptions,
  args: readonly string[],
  look: Look | null,
): Promise<void> {
  return run(workplace, process.execPath, [program, ...args, '--quiet'], look)
}

type Look = (pid: number) => Promise<void>
const lookEveryMs = 250

/**
 * Interrupts it when the measurement is, and waits for its end: a sweep resumes what it holds.
 * @param look at it again and again while it runs; null where it is timed
 * @throws unless it exits with 0
 */
async function run(workplace: Workplace, command: string, args: readonly string[], look: Look | null): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-4_000)
  })
  const stop = (): void => void child.kill('SIGTERM')
  workplace.signal.addEventListener('abort', stop)
  let looking = Promise.resolve()
  const { pid } = child
  const timer =
    look === null || pid === undefined
      ? null
      : setInterval(() => {
          looking = looking.then(() => look(pid)).catch(() => undefined)
        }, lookEveryMs)
  try {
    const code = await new Promise<number | null>((resolve, reject) =>
      child.once('exit', resolve).once('error', reject),
    )
    workplace.signal.throwIfAborted()
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${said}`)
  } finally {
    if (timer !== null) clearInterval(timer)
    await looking
    workplace.signal.removeEventListener('abort', stop)
    rmSync(join(workplace.folder, 'loop.txt'), { force: true })
  }
}

function ratio(rounds: readonly Timed[], what: Timed['what']): number | null {
  const median = (which: Timed['what']): number | null => {
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

function middle(samples: readonly Sample[]): Weight | null {
  return samples.toSorted((a, b) => a.pss - b.pss)[Math.floor(samples.length / 2)] ?? null
}
