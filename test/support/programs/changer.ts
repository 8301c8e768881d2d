/**
 * Changes a bare file, or undoes its newest change, in a process of its own. Arguments: what (`change`, `undo`), file,
 * home, method; for a tenant also socket and id, and several files with commas between. It prints the outcome as JSON.
 * STOP_AT names a step at which it freezes, at the STOP_TIMESth time.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findChanges } from '../../../src/hold/change/recovery/find-changes.ts'
import { startHoldProcesses } from '../../../src/hold/hold-processes.ts'
import type { TenantConnection } from '../../../src/hold/hold.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { connectService } from '../../../src/service/connect.ts'
import { changeFlow, undoFlow } from '../hold/change-flow.ts'
import { rehearse } from '../hold/changes.ts'

const [what, file = '', home = '', method, socket, id] = process.argv.slice(2)
const [first = '', ...more] = file.split(',')
const folder = join(home, 'snapshots')
mkdirSync(folder, { recursive: true, mode: 0o700 })
let times = Number(process.env['STOP_TIMES'] ?? 1)
const place = { kind: 'quarantine', folder: join(home, 'quarantine') } as const
const processes = await startHoldProcesses()
const options = {
  connection: socket === undefined ? null : await connectTo(socket, id ?? ''),
  settings: { ttlMs: 1_500 },
  ...(socket === undefined ? {} : { mend: (snapshot: string) => rehearse(snapshot, 'pragma user_version = 77') }),
  processes,
  folder,
  place,
  method: method === 'in-place' ? 'in-place' : 'swap',
  onStep: (step: string) => {
    if (step === process.env['STOP_AT'] && --times === 0) process.kill(process.pid, 'SIGSTOP')
  },
} as const
async function connectTo(path: string, tenant: string): Promise<TenantConnection> {
  const service = await connectService({
    kind: 'admin-api',
    name: 'notes',
    endpoint: { kind: 'unix', socket: path },
    tokenFile: null,
    caFile: null,
    requestTimeoutMs: 5_000,
  })
  const ledger = await openLedger(join(home, 'ledger'), newRunId())
  return { tenant: tenantId(tenant), service, ledger, socket: path, permit: null, onRetry: () => undefined }
}

let failure: string | null = null
let kind: string = 'thrown'
try {
  const newest = findChanges(place)[0]?.record.change
  const outcome =
    what === 'undo' && newest !== undefined
      ? await undoFlow(options, newest)
      : (await changeFlow({ ...options, files: [first, ...more] })).outcome
  kind = outcome.kind
  if (outcome.kind === 'unchanged') failure = `${outcome.failure.code}: ${outcome.failure.message}`
} catch (error) {
  failure = String(error)
}
await processes[Symbol.asyncDispose]()
process.stdout.write(`${JSON.stringify({ kind, failure })}\n`)
