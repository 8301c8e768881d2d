/**
 * A coordinator: it feeds the runs of the fleet, begins those of the schedule, and frees slots of dead agents. It stops
 * all pauses when results say that holdfast may do harm, and tells people once. Any number of coordinators may work at
 * the same time, and each may be killed at any time: what it does can be repeated.
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { FleetSettings } from '../../config/fleet/fleet-settings.ts'
import { monotonicMs, sleep } from '../../host/clock.ts'
import type { RunId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { printableInUtf8 } from '../../text/printable.ts'
import { conditionOf, noteCondition } from '../alarms/condition.ts'
import { claimFullSweep } from '../alarms/full-sweep.ts'
import { MisplacedTenants } from '../alarms/misplaced-tenants.ts'
import { noteConditions } from '../alarms/note-conditions.ts'
import { ConditionSender, type SendFleetAlarm } from '../alarms/send-conditions.ts'
import type { FleetDatabase } from '../database/database.ts'
import { migrateFleet } from '../database/migrate.ts'
import { openJobs, type FleetJobs } from '../jobs/jobs.ts'
import { setPauseLimits, SlotWatch } from '../pause/slot-watch.ts'
import { DatabaseAlarm } from './database-alarm.ts'
import { DatabaseOutage } from './database-outage.ts'
import { dropOldWeeks, forgetGoneFiles } from './delete-old-results.ts'
import { failDeadChunk } from './fail-dead-chunk.ts'
import { HostWatch, type SeenHost } from './host-watch.ts'
import { doRecurringTasks, type RecurringTask } from './recurring-tasks.ts'
import { beginRun } from './runs/begin-run.ts'
import { RunFeeder } from './runs/run-feeder.ts'
import { stopPausesAfterDamage } from './stop-after-damage.ts'

export interface CoordinatorOptions {
  /** The database as its owner has it: with pglite, this process has opened the folder. */
  readonly database: FleetDatabase
  readonly fleet: FleetSettings
  readonly version: string
  readonly send: SendFleetAlarm
  /** Asks for the heartbeats after a whole sweep of the fleet. Resolves to what did not answer. Null: there is none. */
  readonly heartbeat: (() => Promise<readonly string[]>) | null
  /** Called with one sentence. */
  readonly onNotice: (notice: string) => void
  readonly signal: AbortSignal
  /**
   * A clock in ms that never jumps, by which hosts, other coordinators and outages of the database are watched. Left
   * out: that of the machine.
   */
  readonly now?: () => number
}

/**
 * Works until the signal aborts. While the database cannot be reached it waits for it.
 * @throws {Failure} FLEET_REFUSED, FLEET_TOO_NEW, FLEET_PACKAGE_MISSING and others that waiting does not mend
 */
export async function coordinate(options: CoordinatorOptions): Promise<void> {
  const { database, fleet, onNotice, signal, now = monotonicMs } = options
  const databaseAlarm = new DatabaseAlarm(options.send)
  const outage = new DatabaseOutage(
    {
      onBegin: ({ message, hint }) => onNotice(`the coordinator cannot use the database: ${message}; ${hint}`),
      onEnd: () => {
        databaseAlarm.worksAgain()
        onNotice('the coordinator uses the database again')
      },
    },
    now,
  )
  await whenReachable(options, () => migrateFleet(database))
  await using jobs = await whenReachable(options, () => openCoordinatorJobs(options, outage))
  if (jobs === null) return
  const id = randomUUID()
  onNotice(`the coordinator works (${database.kind === 'pglite' ? 'PGlite' : 'PostgreSQL'})`)
  await whenReachable(options, () => setPauseLimits(database, fleet.maxPaused))
  await whenReachable(options, () => jobs.schedule(fleet.schedule))
  await jobs.beginScheduledSweeps((run) => beginScheduled(options, run))
  await jobs.takeDeadLetters(async (host, chunk, why) => {
    await failDeadChunk(database, host, chunk, why)
    await jobs.endChunk(host, chunk)
    onNotice(`${host} could not check the tenants of a chunk in any attempt: ${printableInUtf8(why)}`)
  })
  await doRecurringTasks(
    tasksOf(options, jobs, id),
    {
      onDone: (task, hadFailed) => {
        if (!outage.works(task) && hadFailed) onNotice(`the coordinator can ${task} again`)
        if (!outage.isOn && hadFailed) databaseAlarm.worksAgain()
      },
      onFailed: (task, failure, forMs) => {
        const { message, hint } = failure
        const isSaid = outage.fails(task, failure, forMs === 0)
        if (isSaid) onNotice(`the coordinator cannot ${task}: ${message}; ${hint}`)
        return databaseAlarm.consider(failure, forMs)
      },
      now,
    },
    signal,
  )
  await database.query('delete from holdfast.coordinator where id = $1', [id]).catch(() => undefined)
}

function tasksOf(
  { database, fleet, version, send, heartbeat, onNotice, now = monotonicMs }: CoordinatorOptions,
  jobs: FleetJobs,
  id: string,
): readonly RecurringTask[] {
  const slots = new SlotWatch(database, fleet.expiryMs)
  const watch = new HostWatch(now)
  const feeder = new RunFeeder({ database, jobs, watch, onNotice })
  const misplaced = new MisplacedTenants(database, fleet.replicas)
  const sender = new ConditionSender({ database, id, send, now })
  return [
    {
      name: 'report that it works',
      everyMs: 10_000,
      work: async () => void (await database.query(showItself, [id, hostname(), version])),
    },
    {
      name: 'free slots',
      everyMs: 2_000,
      work: async () => {
        const { freed, epoch } = await slots.pass()
        for (const { scope, holder } of freed)
          onNotice(`a slot of ${holder} is freed (${scope}): its agent has not given it back within fleet.expiry`)
        if (epoch === 'stored') onNotice('pauses go on: the database was replaced or restored, and was watched since')
      },
    },
    {
      name: 'give tenants to the agents',
      everyMs: 2_000,
      work: async () => {
        const { rows } = await database.query<SeenHost>(knownHosts)
        watch.look(rows)
        await jobs.createHostQueues(watch.names)
        await feeder.advance()
      },
    },
    {
      name: 'look for signs of harm',
      everyMs: 5_000,
      work: async () => {
        for (const reason of await stopPausesAfterDamage(database)) onNotice(`all pauses are stopped: ${reason}`)
      },
    },
    {
      name: 'note what people must know',
      everyMs: 5_000,
      work: async () => {
        const { rowCount } = await database.query(`select from holdfast.run where state in ('feeding', 'fed')`)
        const silent = watch.names.filter((host) => watch.isSilent(host))
        await noteConditions(database, { silent, isRunOpen: rowCount > 0 })
      },
    },
    {
      name: 'delete old results',
      everyMs: 6 * 3_600_000,
      work: async () => {
        await database.query(`delete from holdfast.coordinator where seen_at < now() - interval '7 days'`)
        for (const week of await dropOldWeeks(database)) onNotice(`the results of the week ${week} were deleted`)
        await forgetGoneFiles(database)
      },
    },
    { name: 'send alarms', everyMs: 2_000, work: () => sender.send() },
    { name: 'look where the tenants are', everyMs: 3_600_000, work: () => misplaced.look() },
    {
      name: 'ask for the heartbeats',
      everyMs: 10_000,
      work: async () => {
        if (heartbeat === null || !(await claimFullSweep(database))) return
        for (const missed of await heartbeat()) onNotice(missed)
      },
    },
  ]
}

/** A name becomes part of the name of a queue. */
const knownHosts = `
select name, seen_at from holdfast.host where name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' order by name`

const showItself = `
insert into holdfast.coordinator (id, host, version) values ($1, $2, $3)
on conflict (id) do update set seen_at = now()`

/** While a sweep is unfinished, the next one is left out, and an alarm says so. */
async function beginScheduled({ database, onNotice }: CoordinatorOptions, run: RunId): Promise<void> {
  const request = { kind: 'sweep', depth: 'full', hosts: null, service: null, by: 'schedule' } as const
  const answer = await beginRun(database, run, request)
  if ('begun' in answer) return onNotice(`sweep ${run}: begun by the schedule`)
  const text = `The sweep of the schedule was left out, because the sweep ${answer.unfinished} is unfinished.`
  await noteCondition(
    database,
    conditionOf('sweep-left-out', answer.unfinished, run, {
      severity: 'stale',
      text,
      command: 'holdfast fleet status',
    }),
  )
  onNotice(text)
}

async function openCoordinatorJobs(
  { database, fleet, onNotice }: CoordinatorOptions,
  outage: DatabaseOutage,
): Promise<FleetJobs> {
  // Each poll of pg-boss that fails is an error.
  let said = { message: '', atMs: -Infinity }
  const onError = (failure: Failure): void => {
    const { message, hint } = failure
    if (outage.jobsFail(failure)) return
    if (message === said.message && monotonicMs() - said.atMs < sayAgainMs) return
    said = { message, atMs: monotonicMs() }
    onNotice(`${message}; ${hint}`)
  }
  const jobs = await openJobs({ database, fleet, role: 'coordinator', onError })
  try {
    await jobs.createQueues()
    return jobs
  } catch (error) {
    await jobs[Symbol.asyncDispose]()
    throw error
  }
}

const reachAgainMs = 5_000
const sayAgainMs = 10 * 60_000

/** Tries until the database answers; null if the signal aborts first. @throws what waiting does not mend */
async function whenReachable<Value>(
  { onNotice, signal }: Pick<CoordinatorOptions, 'onNotice' | 'signal'>,
  work: () => Promise<Value>,
): Promise<Value | null> {
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Failure) || !error.retry || error.code === 'FLEET_IN_USE') throw error
      if (isFirst) onNotice(`${error.message}; the coordinator tries again every ${reachAgainMs / 1000} s`)
    }
    await sleep(reachAgainMs, signal).catch(() => undefined)
  }
  return null
}
