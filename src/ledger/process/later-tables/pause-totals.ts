/**
 * How long tenants were paused, and how many leases ended by themselves, added up over the life of the ledger.
 * Monitoring asks for it every few seconds, and must not read the holds of years. Runs in the ledger's process only.
 */

import type Database from 'better-sqlite3'
import type { ServiceWay } from '../../../model/service-way.ts'
import type { PauseTotals } from '../../ledger.ts'
import { numbersOf } from '../ways.ts'

/** Upper bounds in ms. Longer pauses are counted in the total. */
const boundsMs = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const

/** By the clock of the run. If no run saw the end, by the clock of the service. */
const pauseMs = "coalesce(json_extract(new.event, '$.pauseMs'), json_extract(new.event, '$.heldMs'))"

const asCase = (bound: number): string => `when ${pauseMs} <= ${bound} then ${bound}`

/**
 * The version of the ledger stays the same: an older holdfast works with the file, and the trigger adds up what it
 * writes. The totals begin with this table, because for earlier ones the lines of years would have to be read.
 */
export const pauseTotalSchema = `
create table if not exists pause_total (
  way integer not null,
  up_to_ms real not null,
  pauses integer not null,
  total_ms real not null,
  primary key (way, up_to_ms)
) strict, without rowid;
create trigger if not exists pause_ended after insert on line
when new.kind = 'hold-ended' and json_extract(new.event, '$.how') <> 'never-began' and ${pauseMs} is not null begin
  insert into pause_total (way, up_to_ms, pauses, total_ms)
  values (new.way, case ${boundsMs.map(asCase).join(' ')} else 9e999 end, 1, ${pauseMs})
  on conflict do update set pauses = pauses + 1, total_ms = total_ms + excluded.total_ms;
end;
create table if not exists lease_total (way integer primary key, expired integer not null) strict;
create trigger if not exists lease_expired after insert on line
when new.kind = 'hold-ended' and json_extract(new.event, '$.how') = 'expired' begin
  insert into lease_total (way, expired) values (new.way, 1) on conflict do update set expired = expired + 1;
end;
`

interface TotalRow {
  readonly upToMs: number
  readonly pauses: number
  readonly totalMs: number
}

/** Totals of this service, in all ways of reaching it. All 0 before the first run of this version. */
export function pauseTotals(database: Database.Database, way: ServiceWay | null): PauseTotals {
  const { service } = numbersOf(database, way)
  const isThere = (table: string): boolean =>
    database.prepare('select 1 from sqlite_schema where name = ?').get(table) !== undefined
  const rows = !isThere('pause_total')
    ? []
    : database
        .prepare<[string], TotalRow>(`
    select up_to_ms as upToMs, sum(pauses) as pauses, sum(total_ms) as totalMs from pause_total
    where way in (select value from json_each(?)) group by up_to_ms order by up_to_ms`)
        .all(service)
  const within = (bound: number): number =>
    rows.reduce((sum, { upToMs, pauses }) => (upToMs <= bound ? sum + pauses : sum), 0)
  return {
    count: within(Infinity),
    totalMs: rows.reduce((sum, { totalMs }) => sum + totalMs, 0),
    buckets: boundsMs.map((bound) => ({ upToMs: bound, count: within(bound) })),
    leasesExpired: isThere('lease_total') ? leasesExpired(database, service) : 0,
  }
}

function leasesExpired(database: Database.Database, ways: string): number {
  const sum = database.prepare<[string], number>(`
    select ifnull(sum(expired), 0) from lease_total where way in (select value from json_each(?))`)
  return sum.pluck().get(ways) ?? 0
}

export const noPauses: PauseTotals = {
  count: 0,
  totalMs: 0,
  buckets: boundsMs.map((upToMs) => ({ upToMs, count: 0 })),
  leasesExpired: 0,
}
