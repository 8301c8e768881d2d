/**
 * A holder that freezes in the middle of its hold, as by SIGSTOP, swapping or a dead disk:
 *   node freezing.ts SOCKET TENANT FILE FOLDER STEP WARM_ABOVE TTL
 * Prints a line before it freezes, at the end of that step.
 */
import { writeSync } from 'node:fs'
import { defaultLiveSettings } from '../../../src/config/defaults.ts'
import { startHoldProcesses } from '../../../src/hold/hold-processes.ts'
import { hold, unbounded } from '../../../src/hold/hold.ts'
import type { HoldStep } from '../../../src/hold/record.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { connectService } from '../../../src/service/connect.ts'

const [socket = '', id = '', named = '', folder = '', at = '', warmAbove = '', ttl = ''] = process.argv.slice(2)
const tenant = tenantId(id)
const service = await connectService({
  kind: 'admin-api',
  name: 'notes',
  endpoint: { kind: 'unix', socket },
  tokenFile: null,
  caFile: null,
  requestTimeoutMs: 5_000,
})
const ledger = await openLedger(`${folder}/ledger`, newRunId())
await using processes = await startHoldProcesses()
const settings = {
  require: 'sealed',
  ttlMs: Number(ttl),
  drainTimeoutMs: 200,
  maxPauseMs: 5_000,
  warmAboveBytes: Number(warmAbove),
  trustMounts: [],
  live: defaultLiveSettings,
} as const
const onStep = (step: HoldStep): void => {
  if (step !== at) return
  writeSync(1, `${JSON.stringify({ frozen: step })}\n`)
  process.kill(process.pid, 'SIGSTOP')
}
const [held] = await hold(
  {
    files: [{ named, expected: true, abandonedPauseMs: null, name: `hold-${tenant}`, onStep }],
    roots: null,
    connection: { tenant, service, ledger, socket, permit: null, onRetry: () => undefined },
    settings,
    folder,
    bounds: unbounded,
  },
  processes,
  new AbortController().signal,
)
writeSync(1, `${JSON.stringify({ ended: held?.kind === 'snapshot' ? 'snapshot' : held?.failure.message })}\n`)
process.exit(0)
