/** Ways to copy a database while another process writes to it: ours, and those of common tools. */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { defaultHoldSettings, defaultLiveSettings } from '../../../src/config/defaults.ts'
import type { HoldProcesses } from '../../../src/hold/hold-processes.ts'
import { hold, unbounded } from '../../../src/hold/hold.ts'
import { liveSetParts } from '../../../src/model/result/evidence.ts'

/** What one copy took. */
export interface OneCopy {
  readonly ms: number
  /** How long our locks stood; null for other ways. */
  readonly heldMs: number | null
  /** Bytes that were written, without blocks that the copy shares with the file. */
  readonly bytes: number
  /** Why there is no copy; null if there is one. */
  readonly failure: string | null
}

export interface Way {
  readonly name: string
  /** Makes one copy and removes it. @param limitMs it is ended after this time */
  copy(file: string, to: string, limitMs: number, signal: AbortSignal): Promise<OneCopy>
}

let names = 0

/** As `check --live` takes it, without the check. @param folder for the snapshot */
export const byHoldfast = (processes: HoldProcesses, folder: string): Way => ({
  name: 'holdfast',
  async copy(file, _to, _limitMs, signal) {
    const sinceMs = performance.now()
    const [held] = await hold(
      {
        files: [{ named: file, expected: true, abandonedPauseMs: null, name: `live-${names++}`, onStep: () => {} }],
        roots: null,
        connection: null,
        // Limits that the slowest copy does not reach: the figures tell what it costs.
        settings: {
          ...defaultHoldSettings,
          require: 'pinned',
          trustMounts: [],
          live: { ...defaultLiveSettings, maxPinMs: 30_000, maxWriterWaitMs: 30_000, maxWalGrowthBytes: 1e9 },
        },
        folder,
        bounds: unbounded,
      },
      processes,
      signal,
    )
    const ms = performance.now() - sinceMs
    if (held?.kind !== 'snapshot')
      return { ms, heldMs: null, bytes: 0, failure: held ? `${held.failure.code}: ${held.failure.message}` : 'nothing' }
    await held.snapshot[Symbol.asyncDispose]()
    const { snapshot, pin } = held.record.evidence
    const shares = snapshot?.method === 'reflink'
    const written = snapshot?.files.filter(({ part }) => !shares || part !== '') ?? []
    const bytes = written.reduce((sum, part) => sum + part.bytes, 0)
    return { ms, heldMs: pin?.heldMs ?? null, bytes, failure: null }
  },
})

const child = (name: string): string => join(import.meta.dirname, name)

/** The locks of a pin for a second, and no copy. */
export const pinAlone = byCommand('pin of 1 s, no copy', (file) => [
  process.execPath,
  child('pin-child.ts'),
  file,
  '1000',
])

const program = resolve(import.meta.dirname, '../../../bin/holdfast.js')

/** The whole command: it starts, copies, checks the snapshot with both processors, and ends. */
const wholeCheck = byCommand(
  'holdfast check --live',
  (file, to) => [process.execPath, program, 'check', '--live', file, '--snapshots', `${to}-snapshots`],
  60_000,
)

/** Not consistent: main file and WAL are copied one after the other. */
export const byCp = byCommand('cp (not consistent)', (file, to) => ['cp', file, to])

export const otherWays: readonly Way[] = [
  wholeCheck,
  pinAlone,
  byCp,
  byCommand('VACUUM INTO', (file, to) => ['sqlite3', '-cmd', '.timeout 600000', file, `vacuum into '${to}'`]),
  byCommand('backup(), one step', (file, to) => [process.execPath, child('backup-child.ts'), file, to, '1000000000']),
  byCommand('backup(), 100 pages a step', (file, to) => [process.execPath, child('backup-child.ts'), file, to, '100']),
  byCommand('sqlite3 .backup', (file, to) => ['sqlite3', '-cmd', '.timeout 600000', file, `.backup '${to}'`]),
]

/** @param msMin it is not ended earlier, however short the phase is */
function byCommand(
  name: string,
  command: (file: string, to: string) => readonly [string, ...string[]],
  msMin = 0,
): Way {
  return {
    name,
    async copy(file, to, limitMs, signal) {
      const [program, ...args] = command(file, to)
      const sinceMs = performance.now()
      const failure = await run(program, args, Math.max(msMin, limitMs), signal)
      const ms = performance.now() - sinceMs
      const bytes = statSync(to, { throwIfNoEntry: false })?.size ?? 0
      for (const part of liveSetParts) rmSync(to + part, { force: true })
      return { ms, heldMs: null, bytes, failure }
    },
  }
}

async function run(
  program: string,
  args: readonly string[],
  limitMs: number,
  signal: AbortSignal,
): Promise<string | null> {
  const started = spawn(program, args, { stdio: 'ignore' })
  let isUnending = false
  const timer = setTimeout(() => {
    isUnending = true
    started.kill('SIGKILL')
  }, limitMs)
  const stop = (): void => void started.kill('SIGKILL')
  signal.addEventListener('abort', stop)
  try {
    const code = await new Promise<number | null>((resolve, reject) =>
      started.once('exit', resolve).once('error', reject),
    )
    signal.throwIfAborted()
    return isUnending ? `never (ended after ${Math.round(limitMs / 1000)} s)` : code === 0 ? null : `exit code ${code}`
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

/** Reads the file once, so that the first copy does not pay for the disk. */
export const warmTheCache = (file: string): void => void readFileSync(file)
