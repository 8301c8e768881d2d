/**
 * The agent: one host's share of the fleet. It takes chunks of tenants from the database, has each examined in a
 * process of its own, and delivers the results. It needs the database to begin a hold, and never to end one.
 */

import type { FleetSettings } from '../../config/fleet/fleet-settings.ts'
import { wayOf } from '../../config/service-way.ts'
import type { Settings } from '../../config/settings.ts'
import { sleep } from '../../host/clock.ts'
import type { LedgerReader } from '../../ledger/ledger.ts'
import { readLedger } from '../../ledger/open-ledger.ts'
import { goneRuns } from '../../ledger/run-lock/run-liveness.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import { connectService } from '../../service/connect.ts'
import { humanBytes } from '../../text/units.ts'
import { QuestionsOfRun } from '../compare/rows/question-table.ts'
import { announcementsArrive, notAnnounced } from '../database/announcements.ts'
import type { FleetDatabase } from '../database/database.ts'
import { requireVersions } from '../database/versions.ts'
import { openJobs, type FleetJobs } from '../jobs/jobs.ts'
import { agentIdentity, releaseLeft, slotsLeftBy } from '../pause/left-slots.ts'
import { PauseSlots } from '../pause/pause-slots.ts'
import type { SlotRefusal, SlotSource, TakenSlot } from '../pause/slot-permit.ts'
import { ResultDelivery } from '../results/delivery.ts'
import { doneFiles } from '../results/done-files.ts'
import { Outbox } from '../results/outbox.ts'
import { recoverLostOutbox } from '../results/recovered-results.ts'
import { takeAgentLock } from './agent-lock.ts'
import { ChunkRunner } from './chunk-runner.ts'
import { HostHeartbeat } from './heartbeat.ts'
import { registerHost, type ThisHost } from './host-registration.ts'
import { machineIdentity } from './machine-identity.ts'

export interface AgentTerms {
  readonly settings: Settings
  readonly fleet: FleetSettings
  readonly version: string
  readonly database: FleetDatabase
  /** Ends the agent, after the tenants that are under way. */
  readonly signal: AbortSignal
  readonly say: (sentence: string) => void
}

/** The time between two attempts to begin, while the database cannot be used. In ms. */
const againMs = 5_000

/**
 * Works until the signal aborts.
 * @throws {Failure} FLEET_AGENT_ACTIVE, FLEET_HOST_TAKEN, FLEET_TOO_NEW, FLEET_PACKAGE_MISSING, LEDGER_UNUSABLE
 */
export async function runAgent(terms: AgentTerms): Promise<void> {
  const { settings, fleet, version, database, say } = terms
  const { dir } = settings.ledger
  await using _lock = await takeAgentLock(dir)
  using outbox = Outbox.open(dir, Date.now())
  const host: ThisHost = { name: fleet.host, machine: machineIdentity(dir), domain: fleet.domain, version }
  const readOwnLedger = (): Promise<LedgerReader> => readLedger(dir, wayOf(settings))
  if (outbox.notice !== null) say(`holdfast: ${outbox.notice}`)
  if (outbox.isNew) {
    await using ledger = await readOwnLedger()
    await recoverLostOutbox(ledger, outbox, Date.now())
  }
  // A failure of a part ends the others.
  const ending = new AbortController()
  const signal = AbortSignal.any([terms.signal, ending.signal])
  const begun = await untilReady(() => begin(terms, host), signal, say)
  if (begun === null) return
  await using delivery = new ResultDelivery({
    database,
    outbox,
    host: host.name,
    service: settings.service.name,
    now: Date.now,
    onFailure: (failure) =>
      say(
        failure === null
          ? 'holdfast: results are delivered again'
          : `holdfast: results wait in the outbox: ${failure.message}`,
      ),
    onNotice: (notice) => say(`holdfast: ${notice}`),
  })
  const slots = new PauseSlots({
    database,
    host: host.name,
    identity: begun.identity,
    service: settings.service.name,
    domain: fleet.domain,
    expiryMs: fleet.expiryMs,
    onFailure: () => undefined, // The tenants that wait say it, and `fleet status` does.
  })
  const fullness = (): string | null => whyFull(outbox, fleet.outbox.maxBytes)
  let { left } = begun
  using runner = new ChunkRunner({
    settings,
    windowMs: fleet.windowMs,
    version,
    outbox,
    delivery,
    slots: whileRoom(slots, fullness),
    questionsOf: (run) => new QuestionsOfRun(database, run, host.name),
    readLedger: readOwnLedger,
    doneFiles: (chunk) => doneFiles(database, outbox, host.name, chunk),
    isFull: () => fullness() !== null,
    onRunLock: async () => {
      const releasing = left
      left = []
      await using service = await connectService(settings.service)
      await orFailure(releaseLeft(database, releasing, service, signal)) // A coordinator frees what stays.
    },
    serviceAnswers: async () => {
      await using service = await connectService(settings.service)
      return !((await orFailure(service.tenants(signal))) instanceof Failure)
    },
    say,
  })
  const heartbeat = new HostHeartbeat({
    database,
    host,
    service: settings.service,
    outboxSize: () => outbox.size,
    complaint: fullness,
    onSeen: async () => {
      const isGone = await goneRuns(dir, settings.service.name)
      await runner.recoverOpen(null, isGone)
    },
    say,
  })
  say(`holdfast: this host works in the fleet as ${host.name}`)
  const beating = heartbeat.run(signal).catch((error: unknown) => {
    ending.abort(error)
    throw error
  })
  const working = workOn(terms, host.name, runner, signal).catch((error: unknown) => {
    ending.abort(error)
    throw error
  })
  const outcomes = await Promise.allSettled([beating, working])
  await slots.untilReturned()
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

interface AgentStart {
  readonly identity: string
  readonly left: readonly TakenSlot[]
}

/** Writes nothing to tables of another version. Reads the slots that an earlier agent left before one is taken. */
async function begin({ settings, database }: AgentTerms, host: ThisHost): Promise<AgentStart> {
  await requireVersions(database)
  await registerHost(database, host)
  const identity = agentIdentity(settings.ledger.dir)
  return { identity, left: await slotsLeftBy(database, identity) }
}

/** Takes chunks until the signal aborts. */
async function workOn(terms: AgentTerms, host: string, runner: ChunkRunner, signal: AbortSignal): Promise<void> {
  const { database, fleet, say } = terms
  const jobs = await untilReady(() => openOwnJobs(), signal, say)
  if (jobs === null) return
  await using _jobs = jobs
  const queue = await untilReady(() => requireQueue(jobs, host), signal, say)
  if (queue === null) return
  for (const lane of ['incident', 'sweep'] as const)
    await jobs.work(host, lane, (chunk, taken) => examine(lane, chunk, taken))
  say(`holdfast: the agent takes tenants of ${host}`)
  if ((await orFailure(announcementsArrive(database, fleet))) === false)
    say(`holdfast: ${notAnnounced.said}; ${notAnnounced.next}`)
  await sleep(foreverMs, signal).catch(() => undefined)

  function openOwnJobs(): Promise<FleetJobs> {
    let said: string | null = null
    const onError = ({ message, hint }: Failure): void => {
      if (message === said) return
      said = message
      say(`holdfast: the agent waits for jobs: ${message}; ${hint}`)
    }
    return ofJobs(openJobs({ database, fleet, role: 'agent', onError }))
  }

  async function examine(lane: 'incident' | 'sweep', ...[chunk, taken]: Parameters<Parameters<FleetJobs['work']>[2]>) {
    try {
      await runner.examine(chunk, lane, AbortSignal.any([signal, taken]))
    } catch (error) {
      if (!signal.aborted && !taken.aborted)
        say(`holdfast: a chunk of ${chunk.tenants.length} tenants was not finished: ${messageOf(error)}`)
      throw error
    }
  }
}

const foreverMs = 2 ** 31 - 1
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

async function requireQueue(jobs: FleetJobs, host: string): Promise<true> {
  if (await ofJobs(jobs.hasQueue(host))) return true
  throw new Failure('FLEET_NOT_PREPARED', 'no coordinator has seen this host yet', {
    hint: 'it takes some seconds if one works; else start `holdfast coordinator`',
  })
}

/** pg-boss passes on what its own connection throws. */
const ofJobs = <Value>(call: Promise<Value>): Promise<Value> =>
  call.catch((error: unknown) => {
    if (error instanceof Failure) throw error
    throw new Failure('FLEET_UNREACHABLE', `the jobs of the fleet: ${messageOf(error)}`, { cause: error })
  })

/**
 * Tries again until it succeeds, or the signal aborts (null).
 * @throws {Failure} what trying again does not mend
 */
async function untilReady<Value>(
  attempt: () => Promise<Value>,
  signal: AbortSignal,
  say: (sentence: string) => void,
): Promise<Value | null> {
  for (let said: string | null = null; !signal.aborted;) {
    const value = await orFailure(attempt())
    if (!(value instanceof Failure)) return value
    if (!mayPass.has(value.code)) throw value
    if (said !== value.message) say(`holdfast: the agent waits: ${value.message}; ${value.hint}`)
    said = value.message
    await sleep(againMs, signal).catch(() => undefined)
  }
  return null
}

const mayPass: ReadonlySet<string> = new Set([
  'FLEET_UNREACHABLE',
  'FLEET_FULL',
  'FLEET_NOT_PREPARED',
  'FLEET_STATEMENT_FAILED',
])

const whyFull = (outbox: Outbox, maxBytes: number): string | null =>
  outbox.size.bytes < maxBytes
    ? null
    : `the outbox is full (fleet.outbox.max is ${humanBytes(maxBytes)}), so no tenant is checked before it has room`

/** No pause begins whose result could not be kept. */
const whileRoom = (slots: SlotSource, whyNot: () => string | null): SlotSource => ({
  take: async (): Promise<TakenSlot | SlotRefusal> => {
    const why = whyNot()
    return why === null ? slots.take() : { refused: 'away', why }
  },
  release: (slot) => slots.release(slot),
})
