/**
 * Programs that keep a SQLite file open and do what a test asks, over one connection: with the SQLite of better-sqlite3
 * or with the one of Python. A statement answers its rows as JSON, `done`, or the name of SQLite's error.
 */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SqliteProgram extends AsyncDisposable {
  readonly pid: number
  /**
   * Runs statements, with `;` between them. This process stands still until the answer is there: what it holds, it
   * holds meanwhile.
   */
  run(sql: string): string
  /** Closes the connection, as a program does that ends in good order. */
  close(): void
  /** Ends it with SIGKILL. Resolves when the kernel has released its locks. */
  kill(): Promise<void>
}

export type ProgramKind = 'node' | 'python'
export const noPython = existsSync('/usr/bin/python3') ? null : 'python3 is not installed'
export const programKinds: readonly ProgramKind[] = noPython === null ? ['node', 'python'] : ['node']

interface ProgramOptions {
  /** Its busy timeout. */
  readonly timeoutMs?: number
  /** How its SQLite locks; null for the usual way. With Python only. */
  readonly vfs?: 'unix-none' | 'unix-dotfile' | null
}

const nodeProgram = `
const Database = require(${JSON.stringify(createRequire(import.meta.url).resolve('better-sqlite3'))})
const db = new Database(process.argv[1], { timeout: Number(process.argv[2]) })
const answer = (value) => require('node:fs').writeSync(1, JSON.stringify(value) + '\\n')
const one = (sql) => {
  const statement = db.prepare(sql)
  if (!statement.reader) return void statement.run()
  const rows = statement.raw().all()
  return rows.length > 0 ? JSON.stringify(rows) : undefined
}
answer('ready')
require('node:readline').createInterface(process.stdin).on('line', (line) => {
  const sql = JSON.parse(line)
  try {
    answer((sql === 'close' ? void db.close() : sql.split(';').map(one).at(-1)) ?? 'done')
  } catch (error) {
    answer(error.code ?? String(error))
  }
})`

const pythonProgram = `
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1], uri=True, timeout=float(sys.argv[2]) / 1000, isolation_level=None)
print('"ready"', flush=True)
for line in sys.stdin:
    sql = json.loads(line)
    answer = 'done'
    try:
        if sql == 'close': db.close()
        else:
            for statement in sql.split(';'): rows = db.execute(statement).fetchall()
            if rows: answer = json.dumps(rows, separators=(',', ':'))
    except sqlite3.Error as error:
        answer = getattr(error, 'sqlite_errorname', 'SQLITE_BUSY' if 'locked' in str(error) else str(error))
    print(json.dumps(answer), flush=True)`

const answerMsMax = 30_000

/** A program that comes and goes: it opens the file, runs statements, and closes it. @returns the last answer */
export function runOnce(file: string, sql: string): string {
  const input = [sql, 'close'].map((line) => `${JSON.stringify(line)}\n`).join('')
  const { stdout } = spawnSync(process.execPath, ['-e', nodeProgram, file, '0'], {
    input,
    encoding: 'utf8',
    timeout: answerMsMax,
  })
  return String(JSON.parse(stdout.split('\n')[1] ?? ''))
}

/** Opens the file, without reading it yet. */
export async function startSqliteProgram(
  kind: ProgramKind,
  file: string,
  { timeoutMs = 0, vfs = null }: ProgramOptions = {},
): Promise<SqliteProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-program-'))
  const answers = join(folder, 'answers')
  const output = openSync(answers, 'w')
  const name = kind === 'node' ? file : `file:${file}${vfs === null ? '' : `?vfs=${vfs}`}`
  const [command, flag, text] =
    kind === 'node' ? ([process.execPath, '-e', nodeProgram] as const) : (['python3', '-c', pythonProgram] as const)
  const child = spawn(command, [flag, text, name, String(timeoutMs)], { stdio: ['pipe', output, 'inherit'] })
  closeSync(output)
  const { pid, stdin } = child
  if (pid === undefined || stdin === null) throw new Error(`${command} could not be started`)
  stdin.on('error', () => {})
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
  })
  let heard = 0
  const next = (): string => {
    for (const end = performance.now() + answerMsMax; ;) {
      const lines = readFileSync(answers, 'utf8').split('\n')
      if (lines.length - 1 > heard) return String(JSON.parse(lines[heard++] ?? ''))
      if (performance.now() > end) throw new Error(`${command} did not answer within ${answerMsMax} ms`)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
  const run = (sql: string): string => {
    stdin.write(`${JSON.stringify(sql)}\n`) // Node writes to an empty pipe immediately.
    return next()
  }
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  if (next() !== 'ready') throw new Error(`${command} did not begin`)
  return {
    pid,
    run,
    close: () => void run('close'),
    kill,
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
