/**
 * What an agent and its child do about the limit, in one process: real slots of a real database, real holds.
 *   node slot-agent.ts OPTIONS
 * `freezeAt: taken`: stops itself when it has its first slot. `asked`: right before the first request to the service,
 * after its last look at the clock. `defences`: those that are not named are off. Prints a line for each hold.
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { defaultLiveSettings } from '../../../../src/config/defaults.ts'
import { openFleetDatabase } from '../../../../src/fleet/database/open-database.ts'
import { PauseSlots } from '../../../../src/fleet/pause/pause-slots.ts'
import { SlotPermit } from '../../../../src/fleet/pause/slot-permit.ts'
import { startHoldProcesses } from '../../../../src/hold/hold-processes.ts'
import { hold, unbounded } from '../../../../src/hold/hold.ts'
import type { PausePermit, PermitSlot } from '../../../../src/hold/pause/pause-permit.ts'
import { initialFileMask } from '../../../../src/host/process/file-mask.ts'
import { openLedger } from '../../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../../src/model/brand.ts'
import { connectService } from '../../../../src/service/connect.ts'
import { serviceAt, type AgentOptions } from '../../fleet/pause/agent-options.ts'

const options = JSON.parse(process.argv[2] ?? '{}') as AgentOptions
const { host, service: name, domain, folder, socket, tenants, limits, freezeAt, defences } = options
const say = (said: object): void => void writeSync(1, `${JSON.stringify(said)}\n`)
const freeze = (at: AgentOptions['freezeAt']): void => {
  say({ frozen: at })
  process.kill(process.pid, 'SIGSTOP')
}

const service = serviceAt(socket, name)
const run = newRunId()
const way = { service: name, via: service.kind, address: socket, config: '/none' } as const
const ledgerDir = join(folder, 'ledger')
const ledger = await openLedger(ledgerDir, run, way)
const client = await connectService(service)
const processes = await startHoldProcesses({
  settings: service,
  way,
  ledgerDir,
  run,
  env: { ...process.env },
  fileMask: initialFileMask(),
})
if (!defences.includes('guardian'))
  processes.guardian.watch = (_, latestMs) =>
    Promise.resolve({ deadlineMs: latestMs, until: () => undefined, [Symbol.dispose]: () => undefined })

const database = await openFleetDatabase({ database: options.database, passwordFile: null, caFile: null }, 1_000)
const onFailure = ({ message }: Error): void => say({ trouble: message })
const slots = new PauseSlots({ database, host, identity: host, service: name, domain, expiryMs: 0, onFailure })
const permit = new SlotPermit(slots, limits.windowMs)

let isFirst = true
const attacked = (slot: PermitSlot): PermitSlot => ({
  beginsByMs: defences.includes('window') ? slot.beginsByMs : slot.beginsByMs + 1e8,
  markAsked() {
    if (isFirst && freezeAt === 'asked') freeze(freezeAt)
    isFirst = false
    slot.markAsked()
  },
  markAnswered: () => slot.markAnswered(),
  [Symbol.dispose]: () => slot[Symbol.dispose](),
})
const attackedPermit: PausePermit = {
  waitForSlot: (signal) => permit.waitForSlot(signal),
  async takeSlot(signal) {
    say({ asks: 'for a slot' })
    const slot = await permit.takeSlot(signal)
    if (isFirst && freezeAt === 'taken') {
      freeze(freezeAt)
      isFirst = false
    }
    return attacked(slot)
  },
}

const never = new AbortController().signal
const settings = {
  require: 'exclusive',
  ttlMs: limits.ttlMs,
  drainTimeoutMs: limits.drainTimeoutMs,
  maxPauseMs: limits.maxPauseMs,
  warmAboveBytes: 1e9,
  trustMounts: [],
  live: defaultLiveSettings,
} as const
for (let at = 0; at < options.holds; at++) {
  const tenant = tenants[at % tenants.length] ?? 't0'
  const [held] = await hold(
    {
      files: [
        {
          named: join(options.files, `${tenant}.db`),
          expected: true,
          abandonedPauseMs: null,
          name: `hold-${at}`,
          onStep: () => undefined,
        },
      ],
      roots: null,
      connection: {
        tenant: tenantId(tenant),
        service: client,
        ledger,
        socket,
        permit: attackedPermit,
        onRetry: () => undefined,
      },
      settings,
      folder,
      bounds: unbounded,
    },
    processes,
    never,
  )
  say(held?.kind === 'snapshot' ? { held: tenant } : { missed: held?.failure.code })
  if (held?.kind === 'snapshot') await held.snapshot[Symbol.asyncDispose]()
}
permit[Symbol.dispose]()
await slots.untilReturned()
process.exit(0)
