/**
 * The service that is measured. It embeds the gate as any Node service does, and works on one tenant at a steady rate.
 * It records how long each transaction took from the moment when it was due. The parent commands it over IPC, and it
 * ends with the parent.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createGate } from '../../src/service/gate/index.ts'
import type { ServiceAnswer, ServiceRequest } from './service-process.ts'

const [folder = '', socket = ''] = process.argv.slice(2)
const tickMs = 2
const handles = new Map<string, Database.Database>()
const fileOf = (id: string): string => join(folder, `${id}.db`)
const ids = readdirSync(folder)
  .filter((name) => name.endsWith('.db'))
  .map((name) => name.slice(0, -3))
  .sort()
const known = new Set(ids)

/** Longer than any lock is held: a transaction waits instead of failing, and its wait is measured. */
const busyMs = 600_000

function handleOf(id: string): Database.Database {
  const open = handles.get(id) ?? new Database(fileOf(id), { timeout: busyMs, fileMustExist: true })
  handles.set(id, open)
  return open
}

const wasOpen = new Set<string>()
const closedAt = new Map<string, number>()
let pausesMs: number[] = []
let holds = 0
const gate = createGate({
  service: 'bench',
  version: '1.0.0',
  sqliteVersion: new Database(':memory:').prepare<[], string>('select sqlite_version()').pluck().get() ?? null,
  limits: { maxPaused: 8, waitMs: busyMs, waitingMax: 1_000_000 },
  tenants: () => ids.map((id) => ({ id, files: [fileOf(id)] })),
  find: (id) => (known.has(id) ? { id, files: [fileOf(id)] } : null),
  close: (id) => {
    holds++
    closedAt.set(id, performance.now())
    if (handles.has(id)) wasOpen.add(id)
    handles.get(id)?.close()
    handles.delete(id)
  },
  open: (id) => {
    if (wasOpen.delete(id)) handleOf(id).prepare('select count(*) from sqlite_schema').get()
    pausesMs.push(performance.now() - (closedAt.get(id) ?? Number.NaN))
  },
})
await gate.listen(socket)

let latencies: number[] = []
let timer: NodeJS.Timeout | null = null

/**
 * Transactions are due at even times, even if earlier ones have not ended: so the figures include all waiting. No tick
 * begins more than those of a fifth of a second: a machine that is too slow for the load still answers its parent.
 */
function startLoad(tenant: string, perSecond: number): void {
  const startedAt = performance.now()
  let begun = 0
  timer = setInterval(() => {
    const now = performance.now() // Read once: on a slow machine this loop would never catch up, and block the process.
    const last = begun + perSecond / 5
    for (; begun < last && startedAt + (begun * 1000) / perSecond <= now; begun++)
      void transact(tenant, startedAt + (begun * 1000) / perSecond)
  }, tickMs)
}

async function transact(tenant: string, dueAt: number): Promise<void> {
  await gate.run(tenant, () => {
    const database = handleOf(tenant)
    const source = 1 + Math.floor(Math.random() * 100)
    const target = 1 + Math.floor(Math.random() * 100)
    database
      .transaction(() => {
        database.prepare('update accounts set balance = balance - 1 where id = ?').run(source)
        database.prepare('update accounts set balance = balance + 1 where id = ?').run(target)
        database
          .prepare('insert into transfers (source, target, amount, at) values (?, ?, 1, ?)')
          .run(source, target, Date.now())
      })
      .immediate()
  })
  latencies.push(performance.now() - dueAt)
}

const send = (message: ServiceAnswer): void => void process.send?.(message)

process.on('message', (message: ServiceRequest) => {
  switch (message.do) {
    case 'load':
      startLoad(message.tenant, message.perSecond)
      return send({ kind: 'done', latencies: [], holds, pausesMs: [] })
    case 'figures':
      send({ kind: 'done', latencies, holds, pausesMs })
      latencies = []
      pausesMs = []
      return
    case 'end':
      if (timer) clearInterval(timer)
      return void gate[Symbol.asyncDispose]().then(() => process.exit(0))
  }
})
// Ctrl-C reaches this process too. The parent ends it after holdfast has resumed the tenants.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('disconnect', () => process.exit(1))
send({ kind: 'ready', latencies: [], holds, pausesMs: [] })
