/** Starts the demo service with any arguments, in a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNode } from './processes.ts'

export interface DemoProcess extends AsyncDisposable {
  readonly dir: string
  readonly socket: string
  readonly pid: number
  readonly port: number
  /** Ends the process and resolves with its exit code. Its folder stays until it is disposed. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** @param dir a folder that has tenants already and stays in place; null for a new one */
export async function startDemoProcess(args: readonly string[], dir: string | null = null): Promise<DemoProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'demo-'))
  const data = dir ?? join(folder, 'tenants')
  const socket = join(folder, 'admin.sock')
  const program = startNode('scripts/demo/service.ts', ['--dir', data, '--socket', socket, ...args])
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    program.kill(signal)
    return (await program.ended).code
  }
  const { port } = await program.ready
  return {
    dir: data,
    socket,
    pid: program.pid,
    port: Number(port),
    stop,
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
