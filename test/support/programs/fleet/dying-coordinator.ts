/**
 * A coordinator that kills itself at a step: after so many statements that write, or in the middle of one. Its alarms
 * and notices are lines of JSON on stdout. It watches others on a clock that runs faster.
 */
import { writeSync } from 'node:fs'
import type { FleetAddress } from '../../../../src/config/fleet/fleet-settings.ts'
import { coordinate } from '../../../../src/fleet/coordinator/coordinate.ts'
import type { FleetDatabase } from '../../../../src/fleet/database/database.ts'
import { openFleetDatabase } from '../../../../src/fleet/database/open-database.ts'
import { monotonicMs } from '../../../../src/host/clock.ts'
import { fleetSettings } from '../../fleet/fleet-settings.ts'

export interface DyingOptions {
  readonly address: FleetAddress
  /** null: it goes on. */
  readonly step: number | null
  readonly inTheMiddle: boolean
  readonly faster: number
}

const { address, step, inTheMiddle, faster } = JSON.parse(process.argv[2] ?? '{}') as DyingOptions
const fleet = fleetSettings({ address })
const database = await openFleetDatabase(fleet)
let steps = 0

const die = (): void => void process.kill(process.pid, 'SIGKILL')
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`)

/** Only statements of the coordinator itself: those of pg-boss lie between them. */
const isStep = (text: string): boolean =>
  /\b(?:insert into|update|delete from) holdfast\.(?!coordinator|schema)/.test(text)

const dying: FleetDatabase = {
  kind: database.kind,
  async query(text, values) {
    if (!isStep(text) || text.includes('create schema')) return database.query(text, values)
    const isLast = ++steps === step
    const answer = database.query(text, values)
    if (isLast && inTheMiddle) setImmediate(die)
    const given = await answer
    if (isLast) die()
    return given as never
  },
  [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
}

await coordinate({
  database: dying,
  fleet,
  version: 'test',
  send: (alarm) => {
    say({ alarm })
    return Promise.resolve(true)
  },
  heartbeat: null,
  onNotice: (notice) => say({ notice, steps }),
  signal: new AbortController().signal,
  now: () => monotonicMs() * faster,
})
