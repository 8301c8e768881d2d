/** Asks the agents of all hosts that have a tenant for snapshots, and compares their rows. */

import type { FleetSettings } from '../../../config/fleet/fleet-settings.ts'
import { monotonicMs, sleep } from '../../../host/clock.ts'
import { newRunId } from '../../../ledger/run-lock/run-id.ts'
import type { RunId, TenantId } from '../../../model/brand.ts'
import { Failure } from '../../../model/failure.ts'
import { orFailure } from '../../../model/or-failure.ts'
import type { FleetDatabase } from '../../database/database.ts'
import { priorities } from '../../jobs/chunk.ts'
import { openJobs } from '../../jobs/jobs.ts'
import { weekOf } from '../../jobs/week-of-run.ts'
import type { CopiesOfFile, PairByKey } from '../fleet-comparison.ts'
import { compareByKey, type AskedCopy } from './compare-by-key.ts'
import { forgetQuestions, HostQuestions } from './question-table.ts'

export interface AskedTenant {
  readonly database: FleetDatabase
  readonly fleet: FleetSettings
  readonly tenant: TenantId
  /** As the stored digests show them. */
  readonly files: readonly CopiesOfFile[]
  /** Called with one sentence. */
  readonly onNotice: (notice: string) => void
  readonly signal: AbortSignal
}

/** More hosts are not asked: each has a tenant paused, and a snapshot on its disk until the end. */
const hostsMax = 5
/** An agent may have other work first, and the check of a large file takes time. In ms. */
const snapshotMsMax = 15 * 60_000
const deliveryMsMax = 60_000

/** @returns the pairs of each file, by the name of the file @throws {Failure} USAGE for too many hosts; FLEET_* */
export async function askAgents(asked: AskedTenant): Promise<ReadonlyMap<string, readonly PairByKey[]>> {
  const { database, files, onNotice, signal } = asked
  const hosts = [...new Set(files.flatMap(({ copies }) => copies.map(({ host }) => host)))]
  if (hosts.length > hostsMax)
    throw new Failure(
      'USAGE',
      `rows are compared for at most ${hostsMax} hosts, and ${hosts.length} have this tenant`,
      { hint: 'leave out --by-key: the digests of all hosts are compared without it' },
    )
  const run = newRunId()
  const asking = new Map(hosts.map((host) => [host, new HostQuestions(database, run, host, signal)]))
  let answered = 0
  try {
    await sendChunks(asked, run, hosts)
    onNotice(`waiting until the agents of ${hosts.join(', ')} have taken a snapshot each`)
    const listed = new Map(
      await Promise.all([...asking].map(async ([host, one]) => [host, await filesOf(one)] as const)),
    )
    answered = [...listed.values()].filter((paths) => !(paths instanceof Failure)).length
    const compared = new Map<string, readonly PairByKey[]>()
    for (const file of files) compared.set(file.name, await compareByKey(askedCopies(file, asking, listed)))
    return compared
  } finally {
    for (const one of asking.values()) await orFailure(one.end())
    await orFailure(untilDelivered(asked, run, answered))
    await orFailure(forgetQuestions(database, run))
  }
}

async function sendChunks({ database, fleet, tenant, onNotice }: AskedTenant, run: RunId, hosts: readonly string[]) {
  await using jobs = await openJobs({ database, fleet, role: 'agent', onError: ({ message }) => onNotice(message) })
  for (const host of hosts)
    if (!(await jobs.hasQueue(host)))
      throw new Failure('FLEET_NOT_PREPARED', `no coordinator has seen the agent of ${host}`)
  await database.query(
    // Its chunks are not fed, so no coordinator has to end it. Several may work at the same time.
    `insert into holdfast.run (id, kind, policy, state, ended_at, total)
     values ($1, 'compare', '{}', 'done', now(), $2)`,
    [run, hosts.length],
  )
  const priority = priorities.triage
  for (const host of hosts) {
    const chunk = { run, week: weekOf(run), kind: 'compare', depth: 'full', chunk: 0, tenants: [tenant] } as const
    await jobs.send(host, [{ ...chunk, host, priority }])
  }
}

type ListOutcome = readonly string[] | Failure

/** Paths, as the agent knows them now. */
async function filesOf(host: HostQuestions): Promise<ListOutcome> {
  const answer = await orFailure(host.ask<'files'>({ step: 'files' }, snapshotMsMax))
  return answer instanceof Failure ? answer : answer.files.map(({ path }) => path)
}

function askedCopies(
  { copies }: CopiesOfFile,
  asking: ReadonlyMap<string, HostQuestions>,
  listed: ReadonlyMap<string, ListOutcome>,
): readonly AskedCopy[] {
  return copies.flatMap(({ label, host, path }): readonly AskedCopy[] => {
    const questions = asking.get(host)
    const paths = listed.get(host)
    if (questions === undefined || paths === undefined) return []
    const failure = paths instanceof Failure ? paths : null
    const at = paths instanceof Failure ? -1 : paths.indexOf(path)
    return [{ label, file: at < 0 ? null : at, host: questions, failure }]
  })
}

/** The results of the checks are then stored, and the digests are those of the snapshots whose rows were compared. */
async function untilDelivered({ database, signal }: AskedTenant, run: RunId, hosts: number): Promise<void> {
  for (const endsAtMs = monotonicMs() + deliveryMsMax; monotonicMs() < endsAtMs; await sleep(200, signal)) {
    const { rows } = await database.query<{ readonly hosts: number }>(
      'select count(distinct host) as hosts from holdfast.result where week = $1 and run = $2',
      [weekOf(run), run],
    )
    if ((rows[0]?.hosts ?? 0) >= hosts) return
  }
}
