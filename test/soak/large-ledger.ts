/**
 * A ledger with nightly sweeps of many tenants over many nights, written and compacted as the runs of these nights
 * would have done it, and what a reader of it costs.
 *
 * A year of 100,000 tenants would take hours. `shortened` leaves out what compaction removes later: between the first
 * and the last nights it writes only the files whose outcome is not that of the night before or after. The lines that
 * are left are those of whole nights, and the file has the same size (src/ledger/README.md).
 */
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { memoryUseOf, memoryUseOfEach, processorMsOfEnded } from '../../scripts/bench/memory.ts'
import { parseSettings } from '../../src/config/parse.ts'
import { wayOf } from '../../src/config/service-way.ts'
import { fileName, lineRow, type LastGoodRow, type LineRow } from '../../src/ledger/lines/rows.ts'
import { compact } from '../../src/ledger/process/compaction/compact.ts'
import { Store } from '../../src/ledger/process/store.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { Event } from '../../src/model/event.ts'
import { holdAsked, checked, holdEnded, holdQuiesced } from '../support/ledger/sample-events.ts'
import { startNode } from '../support/processes.ts'

export interface LargeLedger {
  readonly home: string
  readonly config: string
}

interface LedgerSize {
  readonly tenants: number
  readonly nights: number
  readonly shortened?: boolean
}

const dayMs = 86_400_000
/** One in so many tenants is inconclusive every third night, and one in so many was damaged once. */
const troubledIn = 100
/** More than the nights that compaction keeps whole, so that the file has room for a night that is written. */
const wholeNights = 6

export function makeLargeLedger(
  home: string,
  { tenants, nights, shortened = false }: LedgerSize,
  report: (line: string) => void,
): LargeLedger {
  const ledger = join(home, 'ledger')
  mkdirSync(ledger, { mode: 0o700 })
  const config = join(home, 'holdfast.yaml')
  const text = JSON.stringify({
    service: { name: 'notes', admin: `unix:${join(home, 'admin.sock')}` },
    tenants: { roots: [home] },
    ledger: { dir: ledger },
  })
  writeFileSync(config, text, { mode: 0o600 })
  const way = wayOf(parseSettings(text, config))
  const file = join(ledger, 'ledger.db')
  const firstAt = Date.now() - nights * dayMs
  for (let night = 0; night < nights; night++) {
    const store = new Store(file, 'write', way, report)
    const at = firstAt + (night + 1) * dayMs - 3_600_000
    const isWhole = !shortened || night === 0 || night >= nights - wholeNights
    const tookMs = writeNight(store, { night, at, tenants, isWhole })
    const beganMs = performance.now()
    store.ask((database) => compact(database, Infinity, at + 3_600_000))
    const compactedMs = performance.now() - beganMs
    const megabytes = statSync(file).size / 1e6
    const costs = `${whole(tookMs)} ms to write, ${whole(compactedMs)} to compact`
    if (isWhole || night % 50 === 0) report(`night ${night + 1}: ${costs}, ${whole(megabytes)} MB`)
    store.close()
  }
  return { home, config }
}

const whole = (number: number): string => number.toFixed(0)

interface Night {
  readonly night: number
  readonly at: number
  readonly tenants: number
  /** False for a night of which only the files are written whose outcome changes. */
  readonly isWhole: boolean
}

function writeNight(store: Store, { night, at, tenants, isWhole }: Night): number {
  const beganMs = performance.now()
  const run = `RUN-${String(night).padStart(6, '0')}`
  let number = 0
  const line = (event: Event): LineRow => lineRow(at + number, run, number++, event)
  store.append([line({ kind: 'run-started', mode: 'sweep', version: '0.1.0', argv: ['sweep'] })])
  const scope = { since: at, depth: 'full', only: null } as const
  store.append([line({ kind: 'sweep-selected', ...scope, selected: tenants, notDue: 0 })])
  for (let from = 0; from < tenants; from += 1000) {
    const places = Array.from({ length: Math.min(1000, tenants - from) }, (_, i) => from + i)
    const taken = isWhole ? places : places.filter(isTroubled)
    const lines = taken.flatMap((place) => {
      const id = `tenant-${place}`
      const holder = `${run} ${id}`
      return [holdAsked(holder, id), holdQuiesced(holder, id), holdEnded(holder, id), checkOf(id, place, night)].map(
        line,
      )
    })
    store.append(
      lines,
      taken.map((place) => lastGoodOf(`tenant-${place}`, at)),
    )
  }
  store.append([line({ kind: 'run-finished', exitCode: 0, selected: tenants, covered: tenants, whole: true })])
  return performance.now() - beganMs
}

const isTroubled = (place: number): boolean => [1, 2].includes(place % troubledIn)

function checkOf(id: string, place: number, night: number): Event {
  if (place % troubledIn === 1 && night % 3 === 0)
    return checked(id, { verdict: 'inconclusive', reason: 'a file was in use' })
  if (place % troubledIn === 2 && night === 1) return checked(id, { verdict: 'damaged', damage: 'index' })
  return checked(id, {
    content: {
      tables: ['notes', 'accounts', 'transfers'].map((name) => ({ name, rows: 1000, digest: 'ab'.repeat(16) })),
    },
  })
}

const lastGoodOf = (id: string, at: number): LastGoodRow => ({
  file: fileName('notes', { tenant: tenantId(id), path: `/srv/notes/${id}.db` }),
  at,
  facts: 'x'.repeat(700),
  digests: new Uint8Array(256),
})

export interface CommandCost {
  readonly ms: number
  /** Of all its processes. */
  readonly processorMs: number
  /** Bytes of the largest moment: of all its processes, shared pages counted once. */
  readonly memory: number
  /** Bytes of the largest process at its largest moment, as `time` reports them. */
  readonly largest: number
  readonly code: number | null
  readonly letters: number
}

/** Runs a command that reads the ledger. */
export async function costOf({ config }: LargeLedger, ...args: readonly string[]): Promise<CommandCost> {
  const before = processorMsOfEnded()
  const beganMs = performance.now()
  await using program = startNode('bin/holdfast.js', [...args, '--config', config])
  let [memory, largest] = [0, 0]
  const watching = setInterval(() => {
    memory = Math.max(memory, memoryUseOf(program.pid)?.pss ?? 0)
    for (const { rss } of memoryUseOfEach(program.pid)) largest = Math.max(largest, rss)
  }, 50)
  const { code, stdout } = await program.ended
  clearInterval(watching)
  const ms = performance.now() - beganMs
  return { ms, processorMs: processorMsOfEnded() - before, memory, largest, code, letters: stdout.length }
}
