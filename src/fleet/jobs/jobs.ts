/** The jobs of a fleet. This is the only file that opens pg-boss, which carries them. */
import { createHash } from 'node:crypto'
import type { DatabaseOptions, Db, Job, JobWithMetadata, PgBoss, Queue } from 'pg-boss'
import type { FleetAddress, FleetSettings } from '../../config/fleet/fleet-settings.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { RunId } from '../../model/brand.ts'
import { Failure, failureKinds, type FailureCode } from '../../model/failure.ts'
import { databaseFailure } from '../database/database-failure.ts'
import type { FleetDatabase } from '../database/database.ts'
import { loadPgBoss } from '../database/optional-packages.ts'
import { postgresConnection } from '../database/postgres.ts'
import { requireVersions } from '../database/versions.ts'
import { chunkJobId, incidentPriority, readChunk, type Chunk, type PlannedChunk } from './chunk.ts'
import {
  deadQueue,
  deadQueueOptions,
  hostOf,
  hostQueueOptions,
  queueOf,
  sweepQueue,
  sweepQueueOptions,
} from './queues.ts'

export interface JobsOptions {
  readonly database: FleetDatabase
  readonly fleet: Pick<FleetSettings, 'database' | 'passwordFile' | 'caFile' | 'notify'>
  /** The coordinator creates queues, frees the jobs of dead agents, and makes jobs by the schedule. */
  readonly role: 'coordinator' | 'agent'
  /** Called with errors of pg-boss. It goes on, and asks the database again a few seconds later. */
  readonly onError: (failure: Failure) => void
}

/**
 * `incident`: all but sweeps, such as a triage. The lanes work in parallel, so that an incident does not wait for a
 * chunk of a sweep.
 */
export type Lane = 'sweep' | 'incident'

/** @param signal aborts if the job was given to another worker, or if the jobs are closed */
export type ExamineChunk = (chunk: Chunk, signal: AbortSignal) => Promise<void>

/** When sweeps begin. */
export interface SweepSchedule {
  /** A cron expression. */
  readonly at: string
  /** The name of a time zone. */
  readonly zone: string
}

/** @throws {Failure} FLEET_*; for an agent FLEET_NOT_PREPARED if the coordinator of this version was not started yet */
export async function openJobs({ database, fleet, role, onError }: JobsOptions): Promise<FleetJobs> {
  const { PgBoss } = await loadPgBoss()
  const isCoordinator = role === 'coordinator'
  if (!isCoordinator) await requireVersions(database) // An agent never migrates.
  const boss = new PgBoss({
    ...(fleet.database.kind === 'postgres'
      ? await ownConnection(fleet.database, fleet, isCoordinator)
      : { db: statementsThrough(database), backend: 'pglite' }),
    schema: 'pgboss',
    createSchema: isCoordinator,
    // A client leaves a schema alone that is newer than its own. An older one was refused before.
    migrate: true,
    supervise: isCoordinator,
    superviseIntervalSeconds: 15,
    monitorIntervalSeconds: 30,
    schedule: isCoordinator,
    cronMonitorIntervalSeconds: 10,
    useListenNotify: fleet.notify && fleet.database.kind === 'postgres',
    instanceName: role,
    openTelemetry: { enabled: false },
  })
  // Without a listener an error of a poll would end the process.
  boss.on('error', (error) => onError(failureOfFields(error)))
  await inWords(boss.start())
  return new FleetJobs(boss, database, isCoordinator ? coordinatorEndingMs : agentEndingMs)
}

/** pg-boss has connections of its own: one of them listens, and the coordinator's statements may take longer. */
async function ownConnection(
  address: Extract<FleetAddress, { kind: 'postgres' }>,
  access: Parameters<typeof postgresConnection>[1],
  isCoordinator: boolean,
): Promise<DatabaseOptions> {
  const connection = (await postgresConnection(address, access)) as DatabaseOptions
  const maintenance = isCoordinator ? { query_timeout: maintenanceMsMax } : {}
  return { ...connection, max: 2, ...maintenance }
}

/** Once a day supervision of a thousand queues takes some seconds, and so may a migration. */
const maintenanceMsMax = 60_000

const statementsThrough = (database: FleetDatabase): Db => ({
  executeSql: async (text, values) => ({ rows: [...(await database.query<object>(text, values)).rows] }),
})

/** Dispose it: workers then take no further job, and what is under way has some seconds to end. */
export class FleetJobs implements AsyncDisposable {
  readonly #boss: PgBoss
  readonly #database: FleetDatabase
  readonly #endingMs: number
  readonly #hosts = new Set<string>()

  constructor(boss: PgBoss, database: FleetDatabase, endingMs: number) {
    this.#boss = boss
    this.#database = database
    this.#endingMs = endingMs
  }

  /** True once the coordinator has seen this host. Until then its agent has nothing to work on. */
  async hasQueue(host: string): Promise<boolean> {
    return (await inWords(this.#boss.getQueue(queueOf(host)))) !== null
  }

  /**
   * Takes the chunks of this host one after the other, the highest priority first. A chunk ends when `examine` has
   * stored its results and resolves. If it rejects, the chunk is given out again after 30 s, at most 3 times; then it
   * is a dead letter. While the database is away it asks again. The queue of the host must be there.
   */
  async work(host: string, lane: Lane, examine: ExamineChunk): Promise<void> {
    const range = lane === 'incident' ? { minPriority: incidentPriority } : { maxPriority: incidentPriority - 1 }
    const worker = await inWords(
      this.#boss.work(queueOf(host), { ...range, ...polling }, async ([job]: Job[]) => {
        // Otherwise it takes one job in each polling interval, however short the job was.
        this.#boss.notifyWorker(worker)
        const chunk = readChunk(job?.data)
        if (job === undefined || chunk === null) throw new Error('this job is not a chunk of a run')
        await examine(chunk, job.signal)
        await this.endChunk(host, chunk)
      }),
    )
  }

  /** Creates what all hosts share; only for the coordinator. It can be repeated. */
  async createQueues(): Promise<void> {
    await this.#create(deadQueue, deadQueueOptions)
    await this.#create(sweepQueue, sweepQueueOptions)
  }

  /** Creates the queues of these hosts; only for the coordinator. It can be repeated. */
  async createHostQueues(hosts: Iterable<string>): Promise<void> {
    for (const host of hosts) {
      if (this.#hosts.has(host)) continue
      await this.#create(queueOf(host), hostQueueOptions)
      this.#hosts.add(host)
    }
  }

  /** Queues chunks of one host. Those that were queued before are left alone, also if they have ended. */
  async send(host: string, chunks: readonly PlannedChunk[]): Promise<void> {
    for (let first = 0; first < chunks.length; first += sentTogether) {
      const jobs = chunks.slice(first, first + sentTogether).map((planned) => {
        const { priority, host: _, ...data } = planned
        return { id: chunkJobId(planned), singletonKey: `${data.run}/${data.chunk}`, priority, data }
      })
      await inWords(this.#boss.insert(queueOf(host), jobs))
    }
  }

  /** Cancels chunks. An agent that works on one already hears of it by its signal. */
  async withdraw(host: string, chunks: readonly PlannedChunk[]): Promise<void> {
    for (let first = 0; first < chunks.length; first += sentTogether)
      await inWords(this.#boss.cancel(queueOf(host), chunks.slice(first, first + sentTogether).map(chunkJobId)))
  }

  /** Takes the chunk from what is left of its run. */
  async endChunk(host: string, { run, chunk }: Pick<Chunk, 'run' | 'chunk'>): Promise<void> {
    const text = 'delete from holdfast.chunk where run = $1 and host = $2 and chunk = $3'
    await this.#database.query(text, [run, host, chunk])
  }

  /** Works on the chunks that failed in all their attempts; only for the coordinator. */
  async takeDeadLetters(onDead: (host: string, chunk: Chunk, why: string) => Promise<void>): Promise<void> {
    const options = { ...polling, includeMetadata: true } as const
    await this.#boss.work(deadQueue, options, async ([job]: JobWithMetadata[]) => {
      const chunk = readChunk(job?.data)
      const host = hostOf(job?.sourceName ?? '')
      if (chunk !== null && host !== null) await onDead(host, chunk, messageIn(job?.sourceOutput))
    })
  }

  /** Begins the sweeps of the schedule; only for the coordinator. The same job always asks for the same run. */
  async beginScheduledSweeps(begin: (run: RunId) => Promise<void>): Promise<void> {
    const options = { ...polling, includeMetadata: true } as const
    await this.#boss.work(sweepQueue, options, async ([job]: JobWithMetadata[]) => {
      if (job === undefined) return
      const digest = createHash('sha256').update(job.id).digest()
      await begin(newRunId(new Date(job.createdOn).getTime(), digest))
    })
  }

  /**
   * Sets when sweeps begin; null: only when a person asks for one. One that was missed while no coordinator ran is
   * made up for once.
   * @throws {Failure} FLEET_STATEMENT_FAILED also for an expression or a zone that pg-boss does not understand
   */
  async schedule(schedule: SweepSchedule | null): Promise<void> {
    if (schedule === null) await inWords(this.#boss.unschedule(sweepQueue))
    else await inWords(this.#boss.schedule(sweepQueue, schedule.at, {}, { tz: schedule.zone, missed: 'once' }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: this.#endingMs })
  }

  async #create(name: string, options: Omit<Queue, 'name'>): Promise<void> {
    await inWords(this.#boss.createQueue(name, options))
    // Creating a queue that is there changes nothing, also if this version wants other options.
    const { policy: _, ...changeable } = options
    await inWords(this.#boss.updateQueue(name, changeable))
  }
}

const failureOf = (error: unknown): Failure => databaseFailure(error, 'the jobs of the fleet')

/** pg-boss reports an error as an object with its fields. Through PGlite it was a failure. */
function failureOfFields({ message, ...fields }: Error & { readonly code?: string }): Failure {
  const { code = '' } = fields
  return Object.hasOwn(failureKinds, code)
    ? new Failure(code as FailureCode, message)
    : failureOf(Object.assign(new Error(message), fields))
}

async function inWords<Value>(asked: Promise<Value>): Promise<Value> {
  try {
    return await asked
  } catch (error) {
    throw failureOf(error)
  }
}

const whyLettersMax = 500

/** What pg-boss keeps of the error of the last attempt. */
function messageIn(output: object | null | undefined): string {
  const message = output !== null && output !== undefined && 'message' in output ? output.message : null
  return typeof message === 'string' ? message.slice(0, whyLettersMax) : 'its agent was killed, or lost its job'
}

/** With `notify` a new job is seen within milliseconds; a repeated one is seen by the next poll. */
const polling = { pollingIntervalSeconds: 5, notifyPollingIntervalSeconds: 15, heartbeatRefreshSeconds: 10 }

/** Jobs of one statement: at most some 150 KB of tenants. */
const sentTogether = 100

/** A hold that is under way ends within this. */
const agentEndingMs = 30_000
/** What it does can be repeated. */
const coordinatorEndingMs = 5_000
