/**
 * A process without a free descriptor that starts a child: prints the outcome as JSON. With `briefly` it has
 * descriptors again a moment later.
 */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openChecker } from '../../../src/check/check.ts'
import { Guardian } from '../../../src/hold/seal/guardian.ts'
import { Probe } from '../../../src/hold/seal/probe.ts'
import { memoryFile } from '../../../src/host/libc.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId, type SnapshotPath } from '../../../src/model/brand.ts'
import { Failure } from '../../../src/model/failure.ts'
import { HookService } from '../../../src/service/hooks/hook-service.ts'

const folder = mkdtempSync(join(tmpdir(), 'short-of-files-'))
const signal = new AbortController().signal
const checker = await openChecker({
  folder,
  parallel: 1,
  engine: 'census',
  timeoutMs: 20_000,
  memoryBytesMax: 1e9,
  niceness: 0,
})
await checker.ready()
closeSync(memoryFile('loads the C library'))
const command = ['/bin/true'] as const
const hooks = new HookService(
  { kind: 'hooks', name: 'notes', tenants: command, quiesce: command, resume: command, timeoutMs: 5_000 },
  () => undefined,
)

const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
  guardian: () => Guardian.begin(null),
  probe: () => Probe.start().ready(),
  ledger: () => openLedger(join(folder, 'ledger'), newRunId()),
  reader: () => checker.check(join(folder, 'missing.db') as SnapshotPath, { depth: 'full', signal }),
  hook: () =>
    hooks.quiesce(
      tenantId('acme'),
      { holder: 'us', reason: 'test', ttlMs: 1_000, maxHoldMs: 1_000, drainTimeoutMs: 0 },
      signal,
    ),
}
const [, , what = '', briefly] = process.argv
const taken: number[] = []
try {
  for (;;) taken.push(openSync('/dev/null', 'r'))
} catch {
  // No descriptor is left.
}
if (briefly === 'briefly') setTimeout(() => taken.forEach(closeSync), 120)
const outcome = await attempts[what]?.().then(() => ({ code: 'started' }), describe)
taken.forEach((descriptor) => {
  try {
    closeSync(descriptor)
  } catch {
    // It is closed already.
  }
})
rmSync(folder, { recursive: true, force: true })
process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit())

function describe(error: unknown): unknown {
  if (!(error instanceof Failure)) return { code: String(error) }
  const { code, message, hint, concerns, tenantState } = error
  return { code, message, hint, concerns, tenantState }
}
