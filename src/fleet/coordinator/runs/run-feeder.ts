/**
 * Feeds the runs of the fleet and ends them. Each step can be repeated, by this coordinator or another one. One may be
 * killed between any two steps, and two may work at the same time.
 */
import { monotonicMs } from '../../../host/clock.ts'
import type { RunId } from '../../../model/brand.ts'
import { count } from '../../../text/count.ts'
import { conditionOf, noteCondition } from '../../alarms/condition.ts'
import type { FleetDatabase } from '../../database/database.ts'
import type { FleetJobs } from '../../jobs/jobs.ts'
import type { HostWatch } from '../host-watch.ts'
import { chunksLeft, planHost } from './plan-host.ts'

/** A run that is older ends, so that the sweep of the next night can begin. */
const runHoursMax = 20
/** So often what is left of a run is queued again: a database that failed over may have lost jobs. */
const feedAgainMs = 10 * 60_000
/** So many silent hosts are named. */
const namedMax = 5

interface OpenRun {
  readonly id: RunId
  readonly kind: string
  readonly state: 'feeding' | 'fed'
  readonly hosts: readonly string[] | null
  readonly is_old: boolean
}

interface RemainingHost {
  readonly host: string
  readonly chunks: number
}

export interface FeederOptions {
  readonly database: FleetDatabase
  readonly jobs: FleetJobs
  readonly watch: HostWatch
  /** Called with one sentence. */
  readonly onNotice: (notice: string) => void
}

export class RunFeeder {
  readonly #with: FeederOptions
  readonly #fedAtMs = new Map<string, number>()

  constructor(options: FeederOptions) {
    this.#with = options
  }

  /** Does what can be done now for each unfinished run. @throws {Failure} FLEET_* */
  async advance(): Promise<void> {
    const { rows } = await this.#with.database.query<OpenRun>(openRuns, [runHoursMax])
    for (const run of rows) {
      if (run.state === 'feeding') await this.#feed(run)
      else await this.#follow(run)
    }
  }

  async #feed({ id, kind, hosts }: OpenRun): Promise<void> {
    const { database, jobs, onNotice } = this.#with
    // Not those of the last look: a host that was registered since would be left out without a word.
    const known = await database.query<{ readonly name: string }>('select name from holdfast.host order by name')
    const taken = known.rows.map(({ name }) => name).filter((host) => hosts?.includes(host) ?? true)
    for (const host of taken) {
      await planHost(database, id, host)
      const chunks = await chunksLeft(database, id, host)
      await jobs.createHostQueues([host])
      await jobs.send(host, chunks)
    }
    await database.query(
      `update holdfast.run set state = 'fed',
        total = (select coalesce(sum(total), 0) from holdfast.run_host where run = id)
       where id = $1 and state = 'feeding'`,
      [id],
    )
    this.#fedAtMs.set(id, monotonicMs())
    onNotice(`${kind} ${id}: queued for ${count(taken.length, 'host')}`)
  }

  async #follow(run: OpenRun): Promise<void> {
    const { database, watch } = this.#with
    const { rows: left } = await database.query<RemainingHost>(
      'select host, count(*) as chunks from holdfast.chunk where run = $1 group by host order by host',
      [run.id],
    )
    if (left.length === 0) return this.#end(run, 'done', null)
    const silent = left.filter(({ host }) => watch.isSilent(host))
    if (run.is_old) return this.#stop(run, left, `it lasted longer than ${runHoursMax} hours`)
    if (silent.length === left.length) return this.#stop(run, left, 'the hosts that are left are silent')
    if (monotonicMs() - (this.#fedAtMs.get(run.id) ?? -Infinity) < feedAgainMs) return
    await this.#feedAgain(run.id, left)
  }

  /** Jobs that are queued, or that ended and are still kept, are refused by their ids. */
  async #feedAgain(run: RunId, left: readonly RemainingHost[]): Promise<void> {
    const { database, jobs } = this.#with
    for (const host of this.#knownHosts(left)) await jobs.send(host, await chunksLeft(database, run, host))
    this.#fedAtMs.set(run, monotonicMs())
  }

  /** Hosts that have a queue. */
  #knownHosts(left: readonly RemainingHost[]): readonly string[] {
    const names = new Set(this.#with.watch.names)
    return left.map(({ host }) => host).filter((host) => names.has(host))
  }

  async #stop(run: OpenRun, left: readonly RemainingHost[], why: string): Promise<void> {
    const { database, jobs } = this.#with
    for (const host of this.#knownHosts(left)) await jobs.withdraw(host, await chunksLeft(database, run.id, host))
    const names = left.slice(0, namedMax).map(({ host }) => host)
    const more = left.length > names.length ? ` and ${left.length - names.length} more` : ''
    const said = `${why}; some tenants of ${names.join(', ')}${more} were not checked`
    await noteCondition(
      database,
      conditionOf('run-stopped', run.id, run.id, {
        severity: 'stale',
        text: `The ${run.kind} ${run.id} was stopped: ${said}.`,
        command: 'holdfast fleet agents',
      }),
    )
    await this.#end(run, 'stopped', said)
  }

  async #end({ id, kind }: OpenRun, state: 'done' | 'stopped', said: string | null): Promise<void> {
    const { database, onNotice } = this.#with
    const { rowCount } = await database.query(
      `with ended as (
         update holdfast.run set state = $2, ended_at = now(), said = $3 where id = $1 and state = 'fed' returning id
       ), dropped as (
         delete from holdfast.chunk using ended where run = ended.id
       )
       select id from ended`,
      [id, state, said],
    )
    this.#fedAtMs.delete(id)
    if (rowCount > 0) onNotice(`${kind} ${id}: ${state}${said === null ? '' : `, because ${said}`}`)
  }
}

const openRuns = `
select id, kind, state, policy -> 'hosts' as hosts, begun_at < now() - make_interval(hours => $1) as is_old
from holdfast.run where state in ('feeding', 'fed') order by kind desc, id`
