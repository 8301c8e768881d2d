/**
 * How long the check of a large database takes: the census with two workers, against what else one could do with the
 * same file in the same run.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openChecker, type Checker } from '../../src/check/check.ts'
import type { SnapshotPath } from '../../src/model/brand.ts'
import { weigh, weighEach } from './processes.ts'
import type { Workplace } from './workplace.ts'

export interface CheckOptions {
  /** Rows of the largest table. */
  readonly rows: number
  readonly rounds: number
  readonly workers: number
}

export interface Contestant {
  readonly name: string
  /** Wall clock of each round; null where the page cache could not be dropped. */
  readonly warmMs: readonly number[]
  readonly coldMs: number | null
}

export interface CheckFigures {
  readonly rows: number
  readonly bytes: number
  readonly workers: number
  readonly contestants: readonly Contestant[]
  /** Time of a database with a tenth of the rows, by the census. */
  readonly tenthMs: number
  /** The heaviest moment of the census, all processes together and the one that asks as well. */
  readonly heaviest: { readonly processes: number; readonly pss: number; readonly rss: number }
  readonly each: readonly { readonly command: string; readonly rss: number; readonly pss: number }[]
}

const run = promisify(execFile)

export async function measureChecks(workplace: Workplace, options: CheckOptions): Promise<CheckFigures> {
  const file = await make(workplace, 'reference', options.rows)
  const tenth = await make(workplace, 'tenth', options.rows / 10)
  await using checker = await openChecker({
    folder: workplace.folder,
    parallel: options.workers,
    engine: 'census',
    timeoutMs: 3_600_000,
    memoryBytesMax: 2e9,
    niceness: 0,
  })
  const scale = new Scale()
  const contestants: readonly { readonly name: string; readonly run: () => Promise<unknown> }[] = [
    {
      name: `census, ${options.workers} workers`,
      run: () => scale.weighing(() => check(checker, file, workplace.signal)),
    },
    { name: 'sha256sum', run: () => run('sha256sum', [file], { signal: workplace.signal }) },
    {
      name: 'integrity_check, better-sqlite3, 64 MB cache',
      run: () =>
        run(process.execPath, ['-e', pragmaProgram, file], { signal: workplace.signal, cwd: import.meta.dirname }),
    },
    {
      name: 'integrity_check, sqlite3 shell',
      run: () => run('sqlite3', [file, 'pragma integrity_check'], { signal: workplace.signal }),
    },
  ]
  const warm = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  await check(checker, file, workplace.signal) // Fills the page cache.
  for (let round = 1; round <= options.rounds && workplace.hasTime; round++) {
    for (const { name, run } of contestants) {
      workplace.tell(`round ${round} of ${options.rounds}: ${name}`)
      warm.get(name)?.push(await timed(run))
    }
  }
  const tenthTimes = [
    await timed(() => check(checker, tenth, workplace.signal)),
    await timed(() => check(checker, tenth, workplace.signal)),
  ]
  const cold = new Map<string, number>()
  for (const { name, run } of contestants) if (workplace.hasTime && dropPageCache()) cold.set(name, await timed(run))
  return {
    rows: options.rows,
    bytes: statSync(file).size,
    workers: options.workers,
    tenthMs: Math.min(...tenthTimes),
    heaviest: scale.heaviest,
    each: scale.each,
    contestants: contestants.map(({ name }) => ({
      name,
      warmMs: warm.get(name) ?? [],
      coldMs: cold.get(name) ?? null,
    })),
  }
}

/** With a cache of 64 MB, which is generous to it. */
const pragmaProgram = `const D = require('better-sqlite3'); const d = new D(process.argv[1], { readonly: true }); d.pragma('cache_size = -65536')
if (d.pragma('integrity_check', { simple: true }) !== 'ok') process.exit(1)`

async function make(workplace: Workplace, name: string, rows: number): Promise<string> {
  workplace.tell(`making a database of ${rows} rows`)
  const folder = join(workplace.folder, name)
  mkdirSync(folder)
  const file = join(folder, 'reference.db')
  await run(process.execPath, [join(import.meta.dirname, 'reference.ts'), file, String(rows)], {
    signal: workplace.signal,
  })
  return file
}

async function check(checker: Checker, file: string, signal: AbortSignal): Promise<void> {
  const reading = await checker.check(file as SnapshotPath, { depth: 'full', signal })
  if (reading.facts.length > 0 || !reading.complete)
    throw new Error(`the reference database is not sound: ${JSON.stringify(reading.facts)}`)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** True when what follows reads from the disk. Needs root. */
function dropPageCache(): boolean {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3')
    return true
  } catch {
    return false
  }
}

/** Weighs this process and its children while something runs. */
class Scale {
  heaviest = { processes: 0, pss: 0, rss: 0 }
  each: ReturnType<typeof weighEach> = []

  async weighing(work: () => Promise<unknown>): Promise<void> {
    const timer = setInterval(() => this.#look(), 250)
    try {
      await work()
    } finally {
      clearInterval(timer)
    }
  }

  #look(): void {
    const weight = weigh(process.pid)
    if (weight === null || weight.pss <= this.heaviest.pss) return
    this.heaviest = { processes: weight.processes, pss: weight.pss, rss: weight.rss }
    this.each = weighEach(process.pid)
  }
}
