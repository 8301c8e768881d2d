/**
 * The service of an attack on the limit, which is also the sampler: it counts exactly who stands still.
 *   node counting-service.ts FOLDER SOCKET TENANTS [blind]
 * It pauses through the gate of holdfast. `blind`: the gate does not look whether its caller is still there. Prints a
 * line when it listens, and `{"most": N}` each time when more tenants stand still than ever before.
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Callers } from '../../../../src/service/gate/caller.ts'
import { createGate } from '../../../../src/service/gate/index.ts'

const [folder = '', socket = '', count = '1', blind = ''] = process.argv.slice(2)
if (blind === 'blind') Callers.prototype.stillThere = () => Promise.resolve(true)
const ids = Array.from({ length: Number(count) }, (_, at) => `t${at}`)
const fileOf = (id: string): string => join(folder, `${id}.db`)
const databases = new Map<string, Database.Database>()
const still = new Set<string>()
let most = 0

function open(id: string): void {
  still.delete(id)
  if (databases.has(id)) return
  const database = new Database(fileOf(id), { timeout: 0 })
  database.exec('create table if not exists t (x); insert into t values (1)')
  databases.set(id, database)
}

const gate = createGate({
  service: 'counting',
  version: '1',
  limits: { maxPaused: 1_000 },
  tenants: () => ids.map((id) => ({ id, files: [fileOf(id)] })),
  close: (id) => {
    databases.get(id)?.close()
    databases.delete(id)
    still.add(id)
    if (still.size <= most) return
    most = still.size
    writeSync(1, `${JSON.stringify({ most })}\n`)
  },
  open,
})
for (const id of ids) open(id)
await gate.listen(socket)
writeSync(1, `${JSON.stringify({ most })}\n`)
