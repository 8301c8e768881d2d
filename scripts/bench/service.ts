/**
 * A service to measure at: it embeds the gate as any Node service would, works on one tenant at a steady rate, and
 * keeps how long each transaction took from the moment it was due. It is a process of its own, told what to do over
 * IPC, and ends with whoever started it.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createGate } from '../../src/service/gate/index.ts'
import type { FromService, ToService } from './service-process.ts'

const [folder = '', socket = ''] = process.argv.slice(2)
const tickMs = 2
const handles = new Map<string, Database.Database>()
const fileOf = (id: string): string => join(folder, `${id}.db`)
const ids = readdirSync(folder)
  .filter((name) => name.endsWith('.db'))
  .map((name) => name.slice(0, -3))
  .sort()
const known = new Set(ids)

/** Nobody else may keep a transaction from ending: how long it had to wait is what is measured. */
const busyMs = 600_000

function handleOf(id: string): Database.Database {
  const open = handles.get(id) ?? new Database(fileOf(id), { timeout: busyMs, fileMustExist: true })
  handles.set(id, open)
  return open
}

const wasOpen = new Set<string>()
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
    if (handles.has(id)) wasOpen.add(id)
    handles.get(id)?.close()
    handles.delete(id)
  },
  open: (id) => {
    if (wasOpen.delete(id)) handleOf(id).prepare('select count(*) from sqlite_schema').get()
  },
})
await gate.listen(socket)

let latencies: number[] = []
let timer: NodeJS.Timeout | null = null

/**
 * Transactions are due at even times, whether the earlier ones have ended or not: waiting is never left out of the
 * figures.
 */
function startLoad(tenant: string, perSecond: number): void {
  const startedAt = performance.now()
  let begun = 0
  timer = setInterval(() => {
    for (; startedAt + (begun * 1000) / perSecond <= performance.now(); begun++)
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

const say = (message: FromService): void => void process.send?.(message)

process.on('message', (message: ToService) => {
  switch (message.do) {
    case 'load':
      startLoad(message.tenant, message.perSecond)
      return say({ said: 'done', latencies: [], holds })
    case 'figures':
      say({ said: 'done', latencies, holds })
      latencies = []
      return
    case 'end':
      if (timer) clearInterval(timer)
      return void gate[Symbol.asyncDispose]().then(() => process.exit(0))
  }
})
// Ctrl-C is for the measurement: it ends us when holdfast has resumed what it held.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('disconnect', () => process.exit(1))
say({ said: 'ready', latencies: [], holds })
