/** One command hook: no shell, its own process group, a deadline, bounded output. */
import { spawn } from 'node:child_process'

export interface Ran {
  readonly how: 'exit' | 'signal' | 'timeout' | 'not-started' | 'aborted' | 'too-much-output'
  readonly code: number | null
  readonly stdout: string
  /** Last line of stderr, or why it was not started. */
  readonly complaint: string
}

const stdoutBytesMax = 256 * 1024 * 1024
const stderrBytesKept = 4_096

/** Never rejects. At the deadline the whole group is killed, so that no grandchild goes on in secret. */
export function runCommand(argv: readonly string[], limits: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<Ran> {
  const [program = '', ...args] = argv
  return new Promise((resolve) => {
    if (limits.signal.aborted) return resolve({ how: 'aborted', code: null, stdout: '', complaint: '' })
    const child = spawn(program, args, { shell: false, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const stdout: Buffer[] = []
    let bytes = 0
    let stderr = Buffer.alloc(0)
    let killedFor: Ran['how'] | null = null
    const kill = (why: Ran['how']): void => {
      killedFor ??= why
      killGroup(child.pid)
      // A grandchild that left the group may keep the pipes open: what it would still say is not waited for.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    const timer = setTimeout(() => kill('timeout'), limits.timeoutMs)
    const onAbort = (): void => kill('aborted')
    limits.signal.addEventListener('abort', onAbort, { once: true })
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > stdoutBytesMax) kill('too-much-output')
      else stdout.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => { stderr = Buffer.concat([stderr, chunk]).subarray(-stderrBytesKept) })
    const settle = (how: Ran['how'], code: number | null, complaint: string): void => {
      clearTimeout(timer)
      limits.signal.removeEventListener('abort', onAbort)
      resolve({ how: killedFor ?? how, code, stdout: Buffer.concat(stdout).toString('utf8'), complaint })
    }
    child.once('error', (error: NodeJS.ErrnoException) => settle('not-started', null, error.code ?? error.message))
    child.once('close', (code, signal) => settle(signal === null ? 'exit' : 'signal', code, lastLine(stderr.toString('utf8'))))
  })
}

const lastLine = (text: string): string => text.trim().split(/\r?\n/).at(-1)?.slice(0, 300) ?? ''

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
