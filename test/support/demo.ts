/** Starts the demo service as a process of its own, for a test. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface DemoProcess extends AsyncDisposable {
  readonly dir: string
  readonly socket: string
  readonly pid: number
  readonly port: number
  /** Ends it as an operator would, and resolves with its exit code. The folder stays until it is disposed. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** `dir`, when given, holds tenants already and is left in place. */
export async function startDemo(args: readonly string[], dir: string | null = null): Promise<DemoProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'demo-'))
  const data = dir ?? join(folder, 'tenants')
  const socket = join(folder, 'admin.sock')
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../scripts/demo/service.ts'), '--dir', data, '--socket', socket, ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })
  const ended = once(child, 'exit')
  const first = await Promise.race([
    once(lines, 'line') as Promise<[string]>,
    ended.then(() => {
      throw new Error('the demo service ended before it was ready')
    }),
  ])
  const { port } = JSON.parse(first[0]) as { port: number }
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await ended
    return child.exitCode
  }
  return {
    dir: data,
    socket,
    pid: child.pid ?? 0,
    port,
    stop,
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
