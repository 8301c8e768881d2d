/** Begins a run of the fleet. It needs no coordinator: the next one that works feeds the run. */
import type { RunId } from '../../../model/brand.ts'
import type { FleetDatabase } from '../../database/database.ts'

export interface FleetRunRequest {
  readonly kind: 'sweep' | 'triage'
  readonly depth: 'full' | 'quick'
  /** null: all hosts. */
  readonly hosts: readonly string[] | null
  /** null: all services. */
  readonly service: string | null
  /** Who asked, in one word or two. */
  readonly by: string
}

/** `unfinished`: another run of this kind, which has to end first. */
export type BegunRun = { readonly begun: RunId } | { readonly unfinished: RunId }

/**
 * Begins the run, unless one of its kind is unfinished. Asked again for the same run, it answers that it was begun.
 * The ages that bound the waves are taken now, so that all hosts are planned by the same ones.
 */
export async function beginRun(database: FleetDatabase, run: RunId, request: FleetRunRequest): Promise<BegunRun> {
  const { kind, ...policy } = request
  for (;;) {
    await database.query(beginStatement, [run, kind, JSON.stringify(policy), [...waveShares]])
    const { rows } = await database.query<{ id: RunId }>(
      `select id from holdfast.run where id = $1 or (kind = $2 and state in ('feeding', 'fed')) order by id = $1 desc`,
      [run, kind],
    )
    const [found] = rows
    // Between the two statements the unfinished one may have ended.
    if (found !== undefined) return found.id === run ? { begun: run } : { unfinished: found.id }
  }
}

/** Files that were found sound are divided by age into waves of the same size. */
const waveShares = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875] as const

const beginStatement = `
insert into holdfast.run (id, kind, policy, state)
select $1, $2, $3::jsonb || jsonb_build_object('waves', coalesce(to_jsonb((
  select percentile_disc($4::float8[]) within group (order by sound_at)
  from holdfast.place where verdict = 'sound' and gone_at is null and sound_at is not null
)), '[]')), 'feeding'
on conflict do nothing`
