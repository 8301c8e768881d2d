/**
 * A holder of a service with command hooks that freezes when its copy is made and its locks are released, right before
 * the resume command: no lease ends its pause.
 *   node frozen-resume.ts FOLDER FILE PAUSED_MARK WINDOW_MS|none
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { defaultLiveSettings } from '../../../../src/config/defaults.ts'
import { startHoldProcesses } from '../../../../src/hold/hold-processes.ts'
import { hold, unbounded } from '../../../../src/hold/hold.ts'
import { monotonicMs, sleep } from '../../../../src/host/clock.ts'
import { initialFileMask } from '../../../../src/host/process/file-mask.ts'
import { openLedger } from '../../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../../src/model/brand.ts'
import { connectService } from '../../../../src/service/connect.ts'
import type { LeaseEnd, Service } from '../../../../src/service/port.ts'

const [folder = '', named = '', mark = '', window = ''] = process.argv.slice(2)
const settings = {
  kind: 'hooks',
  name: 'hooked',
  tenants: ['/bin/echo', JSON.stringify([{ id: 'acme', files: [named] }])],
  quiesce: ['/bin/touch', mark],
  resume: ['/bin/rm', '-f', mark],
  timeoutMs: 2_000,
} as const
const run = newRunId()
const way = { service: settings.name, via: settings.kind, address: '/', config: '/none' } as const
const ledgerDir = join(folder, 'ledger')
const ledger = await openLedger(ledgerDir, run, way)
const real = await connectService(settings)
const service = new Proxy(real, {
  get: (target, name) => {
    if (name === 'resume') return resumeFrozen
    const value: unknown = Reflect.get(target, name)
    return typeof value === 'function' ? value.bind(target) : value
  },
})

/** The guardian hears within 20 ms that a watch has ended. */
async function resumeFrozen(...asked: Parameters<Service['resume']>): Promise<LeaseEnd> {
  await sleep(200)
  writeSync(1, `${JSON.stringify({ frozen: 'resume' })}\n`)
  process.kill(process.pid, 'SIGSTOP')
  return real.resume(...asked)
}

const slot = { markAsked: () => undefined, markAnswered: () => undefined, [Symbol.dispose]: () => undefined }
const permit = {
  waitForSlot: () => Promise.resolve(),
  takeSlot: () => Promise.resolve({ ...slot, beginsByMs: monotonicMs() + Number(window) }),
}
const env = { ...process.env }
await hold(
  {
    files: [{ named, expected: true, abandonedPauseMs: null, name: 'hold', onStep: () => undefined }],
    roots: null,
    connection: {
      tenant: tenantId('acme'),
      service,
      ledger,
      socket: null,
      permit: window === 'none' ? null : permit,
      onRetry: () => undefined,
    },
    settings: {
      require: 'exclusive',
      ttlMs: 1_000,
      drainTimeoutMs: 0,
      maxPauseMs: 500,
      warmAboveBytes: 1e9,
      trustMounts: [],
      live: defaultLiveSettings,
    },
    folder,
    bounds: unbounded,
  },
  await startHoldProcesses({ settings, way, ledgerDir, run, env, fileMask: initialFileMask() }),
  new AbortController().signal,
)
