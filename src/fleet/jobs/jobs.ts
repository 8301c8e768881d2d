/** The jobs of a fleet. This is the only file that opens pg-boss, which carries them. */
import type { DatabaseOptions, Job, PgBoss } from 'pg-boss'
import type { FleetDatabase } from '../database/database.ts'
import { chunkJobId, incidentPriority, readChunk, type Chunk, type PlannedChunk } from './chunk.ts'
import { deadQueue, deadQueueOptions, hostQueueOptions, queueOf, sweepQueue, sweepQueueOptions } from './queues.ts'

export interface JobsOptions {
  readonly database: FleetDatabase
  /** How pg-boss connects by itself; null: it sends its statements through `database`, as with PGlite. */
  readonly connection: DatabaseOptions | null
  /** The coordinator creates queues, frees the jobs of dead agents, and makes jobs by the schedule. */
  readonly role: 'coordinator' | 'agent'
  /** True if agents hear of a new job immediately, for one more connection. Otherwise they ask every few seconds. */
  readonly notify: boolean
  /** Called with errors of pg-boss. It goes on, and asks the database again a few seconds later. */
  readonly onError: (error: Error) => void
}

/** `incident`: triage and hooks. The lanes work in parallel, so that an incident does not wait for a chunk of a sweep. */
export type Lane = 'sweep' | 'incident'

/** @param signal aborts if the job was given to another worker, or if the jobs are closed */
export type ExamineChunk = (chunk: Chunk, signal: AbortSignal) => Promise<void>

/** A chunk that failed in all its attempts. */
export interface DeadChunk extends Chunk {
  readonly host: string
}

/** @throws the error of pg-boss or of the database if the jobs cannot be opened */
export async function openJobs(options: JobsOptions): Promise<FleetJobs> {
  const { PgBoss } = await import('pg-boss')
  const { database, connection, role, notify } = options
  const isCoordinator = role === 'coordinator'
  const boss = new PgBoss({
    ...(connection ?? { db: { executeSql: (text, values) => database.query(text, values) }, backend: 'pglite' }),
    schema: 'pgboss',
    createSchema: isCoordinator,
    // A client leaves a schema alone that is newer than its own. An older one was refused before.
    migrate: true,
    supervise: isCoordinator,
    superviseIntervalSeconds: 15,
    schedule: isCoordinator,
    useListenNotify: notify && connection !== null,
    instanceName: role,
    openTelemetry: { enabled: false },
  })
  // Without a listener an error of a poll would end the process.
  boss.on('error', options.onError)
  const jobs = new FleetJobs(boss, database)
  await boss.start()
  return jobs
}

/** Dispose it: workers then take no further job, and the chunk that is under way has 30 s to end. */
export class FleetJobs implements AsyncDisposable {
  readonly #boss: PgBoss
  readonly #database: FleetDatabase
  readonly #hosts = new Set<string>()

  constructor(boss: PgBoss, database: FleetDatabase) {
    this.#boss = boss
    this.#database = database
  }

  /** Creates what all hosts share; only for the coordinator. It can be repeated. */
  async createQueues(): Promise<void> {
    for (const [name, options] of [
      [deadQueue, deadQueueOptions],
      [sweepQueue, sweepQueueOptions],
    ] as const)
      await this.#create(name, options)
  }

  /** Creates the queues of these hosts; only for the coordinator. It can be repeated. */
  async createHostQueues(hosts: Iterable<string>): Promise<void> {
    for (const host of hosts) {
      if (this.#hosts.has(host)) continue
      await this.#create(queueOf(host), hostQueueOptions)
      this.#hosts.add(host)
    }
  }

  /** True once the coordinator has seen this host. Until then its agent has nothing to work on. */
  async hasQueue(host: string): Promise<boolean> {
    return (await this.#boss.getQueue(queueOf(host))) !== null
  }

  /** Queues chunks of one host. Those that were queued before are left alone, also if they have ended. */
  async send(host: string, chunks: readonly PlannedChunk[]): Promise<void> {
    for (let first = 0; first < chunks.length; first += sendAtOnce) {
      const jobs = chunks.slice(first, first + sendAtOnce).map((planned) => {
        const { priority, host: _, ...data } = planned
        return { id: chunkJobId(planned), singletonKey: `${data.run}/${data.chunk}`, priority, data }
      })
      await this.#boss.insert(queueOf(host), jobs)
    }
  }

  /**
   * Takes the chunks of this host one after the other, the highest priority first. A chunk ends when `examine` has
   * stored its results and resolves. If it rejects, the chunk is given out again after 30 s, at most 3 times; then it
   * is a dead letter. Does not throw if the database is away: it asks again.
   */
  async work(host: string, lane: Lane, examine: ExamineChunk): Promise<void> {
    const range = lane === 'incident' ? { minPriority: incidentPriority } : { maxPriority: incidentPriority - 1 }
    const polling = { pollingIntervalSeconds: 5, notifyPollingIntervalSeconds: 15, heartbeatRefreshSeconds: 15 }
    await this.#boss.work(queueOf(host), { ...range, ...polling }, async ([job]: Job<object>[]) => {
      if (job === undefined) return
      const chunk = readChunk(job.data)
      if (chunk === null) throw new Error('the job is not a chunk')
      await examine(chunk, job.signal)
      const { run, chunk: number } = chunk
      await this.#database.query('delete from holdfast.chunk where run = $1 and host = $2 and chunk = $3', [
        run,
        host,
        number,
      ])
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: endingMs })
  }

  async #create(name: string, options: typeof hostQueueOptions): Promise<void> {
    await this.#boss.createQueue(name, options)
    // Creating one that is there changes nothing, also if this version wants other options.
    const { policy: _, ...changeable } = options
    await this.#boss.updateQueue(name, changeable)
  }
}

/** Jobs of one statement: some 150 KB. */
const sendAtOnce = 100

/** A hold that is under way ends within this. */
const endingMs = 30_000
