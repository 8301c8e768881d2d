/** Runs holdfast for a measurement and reads the document that it prints. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { Workspace } from '../workspace.ts'

const program = resolve(import.meta.dirname, '../../../bin/holdfast.js')

export interface HoldfastAnswer {
  readonly code: number | null
  readonly ms: number
  readonly results: readonly PrintedResult[]
}

/** What the measurements read of a document. */
interface PrintedResult {
  readonly applied?: { readonly change: string; readonly pauseMs: number | null; readonly verdict: string } | null
  readonly rehearsal?: { readonly ms: number } | null
  readonly failure?: { readonly code: string; readonly message: string } | null
}

/**
 * If the measurement is interrupted, holdfast gets SIGTERM and resumes its tenants first.
 * @throws unless it exits with one of these codes
 */
export async function runHoldfastJson(
  workspace: Workspace,
  args: readonly string[],
  codes: readonly number[] = [0],
): Promise<HoldfastAnswer> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [program, ...args, '--json', '--quiet'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = (): void => void child.kill('SIGTERM')
  workspace.signal.addEventListener('abort', stop)
  try {
    const [stdout, stderr, [code]] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ])
    workspace.signal.throwIfAborted()
    const ms = performance.now() - startedAt
    if (code === null || !codes.includes(code))
      throw new Error(`holdfast ${args.join(' ')} ended with ${code}: ${stderr} ${stdout.slice(0, 2_000)}`)
    const { results = [] } = JSON.parse(stdout) as { readonly results?: readonly PrintedResult[] }
    return { code, ms, results }
  } finally {
    workspace.signal.removeEventListener('abort', stop)
  }
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}
