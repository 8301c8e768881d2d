/**
 * The busy service (support/programs/busy-service.ts) as tests and the soak script use it, and what its snapshots must
 * be.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { connectService } from '../../../src/service/connect.ts'
import type { Service } from '../../../src/service/port.ts'
import { digestOfRows } from '../databases/rows.ts'
import { startNode } from '../processes.ts'

export interface BusyService extends AsyncDisposable {
  readonly file: string
  readonly socket: string
  readonly service: Service
  readonly pid: number
  /** What the tenant held when it was last quiesced. */
  quiesced(): QuiescedContent
  /** Ends it. */
  end(): Promise<{
    readonly transactions: number
    readonly failures: number
    readonly slowest: number
    readonly complaints: string
  }>
}

interface QuiescedContent {
  readonly digest: string
  readonly sum: number
  readonly transactions: number
}

export async function startHeavy(manner: 'keeps' | 'reopens'): Promise<BusyService> {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-heavy-'))
  const socket = join(dir, 'admin.sock')
  const program = startNode('test/support/programs/busy-service.ts', [dir, socket, manner])
  await program.ready
  const service = await connectService({
    kind: 'admin-api',
    name: 'heavy',
    endpoint: { kind: 'unix', socket },
    tokenFile: null,
    caFile: null,
    requestTimeoutMs: 10_000,
  })
  return {
    file: join(dir, 'heavy.db'),
    socket,
    service,
    pid: program.pid,
    quiesced: () => JSON.parse(readFileSync(join(dir, 'quiesced.json'), 'utf8')) as QuiescedContent,
    end: async () => {
      await program[Symbol.asyncDispose]()
      const { stdout } = await program.ended
      const complaints = existsSync(join(dir, 'failures.log')) ? readFileSync(join(dir, 'failures.log'), 'utf8') : ''
      return {
        ...(JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as {
          transactions: number
          failures: number
          slowest: number
        }),
        complaints,
      }
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await program[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** What is wrong with a snapshot, in words; null when it is exactly what the service held. */
export function deviationOf(snapshot: string, { digest, sum }: QuiescedContent): string | null {
  const database = new Database(snapshot)
  try {
    const integrity = database.pragma('integrity_check', { simple: true })
    if (integrity !== 'ok') return `integrity_check says ${String(integrity)}`
    const balance = database.prepare('select sum(balance) from accounts').pluck().get()
    if (balance !== sum || sum !== 400_000)
      return `the balances come to ${String(balance)}, the service had ${sum}, of 400000`
    return digestOfRows(database) === digest ? null : 'its rows are not those that the service had'
  } finally {
    database.close()
  }
}
