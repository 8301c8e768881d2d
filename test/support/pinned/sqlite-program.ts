/**
 * Programs that keep a SQLite file open and do what a test asks, over one connection: with the SQLite of better-sqlite3
 * or with the one of Python. A statement answers its rows as JSON, `done`, or the name of SQLite's error.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { startOtherProcess } from '../host/other-process.ts'

export interface SqliteProgram extends AsyncDisposable {
  readonly pid: number
  run(sql: string): Promise<string>
  /** Closes the connection, as a program does that ends in good order. */
  close(): Promise<void>
  /** Ends it with SIGKILL. Resolves when the kernel has released its locks. */
  kill(): Promise<void>
}

export type ProgramKind = 'node' | 'python'
export const noPython = existsSync('/usr/bin/python3') ? null : 'python3 is not installed'
export const programKinds: readonly ProgramKind[] = noPython === null ? ['node', 'python'] : ['node']

/** @param timeoutMs its busy timeout */
export function startSqliteProgram(kind: ProgramKind, file: string, timeoutMs = 0): Promise<SqliteProgram> {
  return kind === 'node' ? startNodeProgram(file, timeoutMs) : startPythonProgram(file, { timeoutMs })
}

async function startNodeProgram(file: string, timeoutMs: number): Promise<SqliteProgram> {
  const other = await startOtherProcess()
  const connection = Number(await other.do({ do: 'connect', path: file, timeoutMs }))
  return {
    pid: other.pid,
    run: async (sql) =>
      String(await other.do({ do: /^\s*(?:select|pragma)/i.test(sql) ? 'statement' : 'script', connection, sql })),
    close: async () => void (await other.do({ do: 'disconnect', connection })),
    kill: async () => {
      process.kill(other.pid, 'SIGKILL')
      await other[Symbol.asyncDispose]()
    },
    [Symbol.asyncDispose]: () => other[Symbol.asyncDispose](),
  }
}

const pythonProgram = `
import json, sqlite3, sys
name, timeout = sys.argv[1], float(sys.argv[2]) / 1000
db = sqlite3.connect(name, uri=True, timeout=timeout, isolation_level=None)
print('{}', flush=True)
for line in sys.stdin:
    try:
        sql = json.loads(line)
        if sql == 'close': answer = db.close() or 'done'
        else:
            for statement in sql.split(';'): rows = db.execute(statement).fetchall()
            answer = json.dumps(rows) if rows else 'done'
    except sqlite3.Error as error:
        answer = getattr(error, 'sqlite_errorname', 'SQLITE_BUSY' if 'locked' in str(error) else str(error))
    print(json.dumps(answer), flush=True)
`

/** @param vfs how SQLite locks; null for its usual way */
export async function startPythonProgram(
  file: string,
  { timeoutMs = 0, vfs = null }: { readonly timeoutMs?: number; readonly vfs?: 'unix-none' | 'unix-dotfile' | null } = {},
): Promise<SqliteProgram> {
  const name = `file:${file}${vfs === null ? '' : `?vfs=${vfs}`}`
  const child = spawn('python3', ['-c', pythonProgram, name, String(timeoutMs)], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {})
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error('the Python program has ended')
    return JSON.parse(value) as unknown
  }
  const run = async (sql: string): Promise<string> => {
    child.stdin.write(`${JSON.stringify(sql)}\n`)
    return String(await next())
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await ended
  }
  await next()
  if (child.pid === undefined) throw new Error('python3 could not be started')
  return {
    pid: child.pid,
    run,
    close: async () => void (await run('close')),
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGKILL'),
  }
}
