/**
 * What else one could do to a live database, with the tools that are at hand: how long it takes, and how long writers
 * wait.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import type { BenchService } from './service-process.ts'
import { spreadOf, type Spread } from './units.ts'
import type { Workplace } from './workplace.ts'

export interface RivalFigures {
  readonly name: string
  /** `unending`: it was given up after `ms`. `failed`: it said so itself. */
  readonly outcome: 'done' | 'unending' | 'failed'
  readonly ms: number
  /** Of the transactions that were due meanwhile. */
  readonly transactions: Spread
}

interface Rival {
  readonly name: string
  readonly arguments: (file: string, to: string) => readonly string[]
}

const rivals: readonly Rival[] = [
  { name: 'sqlite3 .backup', arguments: (file, to) => ['-cmd', '.timeout 600000', file, `.backup '${to}'`] },
  { name: 'VACUUM INTO', arguments: (file, to) => ['-cmd', '.timeout 600000', file, `vacuum into '${to}'`] },
  {
    name: 'lock and cp',
    arguments: (file, to) => [
      '-cmd',
      '.timeout 600000',
      file,
      'begin immediate',
      `.shell cp '${file}' '${to}'; test -e '${file}-wal' && cp '${file}-wal' '${to}-wal'`,
      'commit',
    ],
  },
]

/** A backup whose source another process writes begins anew, and may never end: then it is given up. */
const patienceMs = 30_000

/** In their order, each alone. @throws when sqlite3 is not there */
export async function measureRivals(
  workplace: Workplace,
  service: BenchService,
  file: string,
  to: string,
): Promise<readonly RivalFigures[]> {
  const figures: RivalFigures[] = []
  for (const rival of rivals) {
    if (!workplace.hasTime) break
    await service.figures()
    const startedAt = performance.now()
    const outcome = await run(rival.arguments(file, to), workplace.signal)
    const ms = performance.now() - startedAt
    // What still waits when the rival ends belongs to it: it commits in the next moments.
    await new Promise((resolve) => setTimeout(resolve, 300))
    const { latencies } = await service.figures()
    figures.push({ name: rival.name, outcome, ms, transactions: spreadOf(latencies) })
    for (const part of ['', '-wal', '-journal']) rmSync(to + part, { force: true })
  }
  return figures
}

async function run(args: readonly string[], signal: AbortSignal): Promise<RivalFigures['outcome']> {
  const child = spawn('sqlite3', args, { stdio: 'ignore' })
  let unending = false
  const timer = setTimeout(() => {
    unending = true
    child.kill('SIGKILL')
  }, patienceMs)
  const stop = (): void => void child.kill('SIGKILL')
  signal.addEventListener('abort', stop)
  try {
    const code = await new Promise<number | null>((resolve, reject) =>
      child.once('exit', resolve).once('error', reject),
    )
    signal.throwIfAborted()
    return unending ? 'unending' : code === 0 ? 'done' : 'failed'
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
