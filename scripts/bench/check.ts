/** How long the check of a large database takes, against other programs on the same file in the same run. */
import { execFile } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openChecker, type Checker } from '../../src/check/check.ts'
import type { SnapshotPath } from '../../src/model/brand.ts'
import { memoryUseOf, memoryUseOfEach } from './memory.ts'
import type { Workspace } from './workspace.ts'

export interface CheckBenchOptions {
  /** Rows of the largest table. */
  readonly rows: number
  readonly rounds: number
  readonly workers: number
}

export interface ComparedProgram {
  readonly name: string
  /** Wall clock of each round. */
  readonly warmMs: readonly number[]
  /** null if the page cache could not be dropped. */
  readonly coldMs: number | null
}

export interface CheckFigures {
  readonly rows: number
  readonly bytes: number
  readonly workers: number
  readonly competitors: readonly ComparedProgram[]
  /** How long the census takes for a database with a tenth of the rows. */
  readonly tenthMs: number
  /** Of the census when it used most memory: all processes together, this one included. */
  readonly mostMemory: { readonly processes: number; readonly pss: number; readonly rss: number }
  /** Each process at that moment. */
  readonly each: ReturnType<typeof memoryUseOfEach>
}

const run = promisify(execFile)

export async function measureChecks(workspace: Workspace, options: CheckBenchOptions): Promise<CheckFigures> {
  const file = await make(workspace, 'reference', options.rows)
  const tenth = await make(workspace, 'tenth', options.rows / 10)
  await using checker = await openChecker({
    folder: workspace.folder,
    parallel: options.workers,
    engine: 'census',
    timeoutMs: 3_600_000,
    memoryBytesMax: 2e9,
    niceness: 0,
  })
  const census = (path: string): Promise<void> => check(checker, path, workspace.signal)
  const memory = new MemoryWatch()
  const programs: readonly MeasuredProgram[] = [
    { name: `census, ${options.workers} workers`, run: () => memory.during(() => census(file)) },
    ...otherPrograms(file, workspace.signal),
  ]
  await census(file) // Fills the page cache.
  const warm = await measureWarm(workspace, programs, options.rounds)
  const tenthTimes = [await measureMs(() => census(tenth)), await measureMs(() => census(tenth))]
  const cold = await measureCold(workspace, programs)
  return {
    rows: options.rows,
    bytes: statSync(file).size,
    workers: options.workers,
    tenthMs: Math.min(...tenthTimes),
    mostMemory: memory.most,
    each: memory.each,
    competitors: programs.map(({ name }) => ({ name, warmMs: warm.get(name) ?? [], coldMs: cold.get(name) ?? null })),
  }
}

interface MeasuredProgram {
  readonly name: string
  run(): Promise<unknown>
}

function otherPrograms(file: string, signal: AbortSignal): readonly MeasuredProgram[] {
  return [
    { name: 'sha256sum', run: () => run('sha256sum', [file], { signal }) },
    {
      name: 'integrity_check, better-sqlite3, 64 MB cache',
      run: () => run(process.execPath, ['-e', pragmaProgram, file], { signal, cwd: import.meta.dirname }),
    },
    { name: 'integrity_check, sqlite3 shell', run: () => run('sqlite3', [file, 'pragma integrity_check'], { signal }) },
  ]
}

/** @returns milliseconds of each round, by program */
async function measureWarm(
  workspace: Workspace,
  programs: readonly MeasuredProgram[],
  rounds: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const times = new Map<string, number[]>(programs.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds && workspace.hasTime; round++) {
    for (const program of programs) {
      workspace.report(`round ${round} of ${rounds}: ${program.name}`)
      times.get(program.name)?.push(await measureMs(() => program.run()))
    }
  }
  return times
}

/** @returns milliseconds without the page cache, by program; empty if it cannot be dropped */
async function measureCold(
  workspace: Workspace,
  programs: readonly MeasuredProgram[],
): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>()
  for (const program of programs)
    if (workspace.hasTime && dropPageCache()) times.set(program.name, await measureMs(() => program.run()))
  return times
}

/** With a cache of 64 MB, more than most services give it. */
const pragmaProgram = `const D = require('better-sqlite3'); const d = new D(process.argv[1], { readonly: true })
d.pragma('cache_size = -65536')
if (d.pragma('integrity_check', { simple: true }) !== 'ok') process.exit(1)`

async function make(workspace: Workspace, name: string, rows: number): Promise<string> {
  workspace.report(`making a database of ${rows} rows`)
  const folder = join(workspace.folder, name)
  mkdirSync(folder)
  const file = join(folder, 'reference.db')
  await run(process.execPath, [join(import.meta.dirname, 'reference.ts'), file, String(rows)], {
    signal: workspace.signal,
  })
  return file
}

async function check(checker: Checker, file: string, signal: AbortSignal): Promise<void> {
  const reading = await checker.check(file as SnapshotPath, { depth: 'full', signal })
  if (reading.facts.length > 0 || !reading.complete)
    throw new Error(`the reference database is not sound: ${JSON.stringify(reading.facts)}`)
}

async function measureMs(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** Needs root. @returns whether the next program reads from the disk */
function dropPageCache(): boolean {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3')
    return true
  } catch {
    return false
  }
}

const sampleEveryMs = 250

/** Samples the memory of this process and its children while something runs. */
class MemoryWatch {
  most = { processes: 0, pss: 0, rss: 0 }
  each: ReturnType<typeof memoryUseOfEach> = []

  async during(work: () => Promise<unknown>): Promise<void> {
    const timer = setInterval(() => this.#sample(), sampleEveryMs)
    try {
      await work()
    } finally {
      clearInterval(timer)
    }
  }

  #sample(): void {
    const use = memoryUseOf(process.pid)
    if (use === null || use.pss <= this.most.pss) return
    this.most = { processes: use.processes, pss: use.pss, rss: use.rss }
    this.each = memoryUseOfEach(process.pid)
  }
}
