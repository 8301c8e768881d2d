/** Other ways to copy a live database, with common tools: how long each takes, and how long writers wait meanwhile. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import type { BenchService } from './service-process.ts'
import { spreadOf, type Spread } from './units.ts'
import type { Workspace } from './workspace.ts'

export interface AlternativeFigures {
  readonly name: string
  /** `unending`: we ended it after `ms`. `failed`: it exited with an error. */
  readonly outcome: 'done' | 'unending' | 'failed'
  readonly ms: number
  /** Milliseconds of the transactions that were due meanwhile. */
  readonly transactions: Spread
}

interface Alternative {
  readonly name: string
  readonly arguments: (file: string, to: string) => readonly string[]
}

const alternatives: readonly Alternative[] = [
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

/** `.backup` begins anew whenever another process writes its source, so it may never end. */
const timeLimitMs = 30_000

/** Runs one after the other. @throws if sqlite3 is not installed */
export async function measureAlternatives(
  workspace: Workspace,
  service: BenchService,
  file: string,
  to: string,
): Promise<readonly AlternativeFigures[]> {
  const figures: AlternativeFigures[] = []
  for (const alternative of alternatives) {
    if (!workspace.hasTime) break
    await service.figures()
    const startedAt = performance.now()
    const outcome = await run(alternative.arguments(file, to), workspace.signal)
    const ms = performance.now() - startedAt
    // Transactions that still wait now waited for this alternative: they commit within this time.
    await new Promise((resolve) => setTimeout(resolve, 300))
    const { latencies } = await service.figures()
    figures.push({ name: alternative.name, outcome, ms, transactions: spreadOf(latencies) })
    for (const part of ['', '-wal', '-journal']) rmSync(to + part, { force: true })
  }
  return figures
}

async function run(args: readonly string[], signal: AbortSignal): Promise<AlternativeFigures['outcome']> {
  const child = spawn('sqlite3', args, { stdio: 'ignore' })
  let unending = false
  const timer = setTimeout(() => {
    unending = true
    child.kill('SIGKILL')
  }, timeLimitMs)
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
