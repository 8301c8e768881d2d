/** A program in another process that keeps a database open and writes to it (support/programs/live/unit.ts). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { eventually } from './processes.ts'

const program = fileURLToPath(new URL('programs/live/unit.ts', import.meta.url))

export interface LiveUnit extends AsyncDisposable {
  readonly pid: number
  /** Rows that it has committed. */
  readonly rows: () => number
}

/** @param database with a table `notes` */
export async function startUnit(database: string): Promise<LiveUnit> {
  const running = `${database}.running`
  const child = spawn(process.execPath, [program, database, running], { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  await eventually('it writes', () => existsSync(running))
  return {
    pid: child.pid ?? 0,
    rows: () => Number(readFileSync(running, 'utf8')),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
