/**
 * What the people of a fleet are told, once for all of its hosts. A condition is a row of `told`. The database takes
 * its key once, so each program may report it again and again.
 */
import type { AlertKind } from '../../config/settings.ts'
import type { FleetDatabase } from '../database/database.ts'

/** What an alarm is about. */
export interface FleetCondition {
  /** A word for the kind of condition, such as `silent-host`. */
  readonly kind: string
  /** What it is about, such as the name of a host. Together with `kind` and `since` it names the condition for ever. */
  readonly subject: string
  /** When it began, in any form that stays the same as long as it holds. */
  readonly since: string
  readonly body: FleetConditionBody
}

export interface FleetConditionBody {
  readonly severity: AlertKind
  /** What is over, for a recovery; else null. */
  readonly over: AlertKind | null
  /** Null if it is not about one service. */
  readonly service: string | null
  readonly host: string | null
  readonly tenant: string | null
  readonly path: string | null
  readonly verdict: string | null
  readonly damage: string | null
  /** One sentence; null where verdict and damage say it all. */
  readonly text: string | null
  /** The next command to type; null where the tenant says which. */
  readonly command: string | null
}

/** What is left out is null. */
export const conditionOf = (
  kind: string,
  subject: string,
  since: string,
  about: Pick<FleetConditionBody, 'severity'> & Partial<FleetConditionBody>,
): FleetCondition => ({
  kind,
  subject,
  since,
  body: {
    over: null,
    service: null,
    host: null,
    tenant: null,
    path: null,
    verdict: null,
    damage: null,
    text: null,
    command: null,
    ...about,
  },
})

/** Notes a condition, unless it was noted before. @returns true if it is new */
export async function noteCondition(
  database: FleetDatabase,
  { kind, subject, since, body }: FleetCondition,
): Promise<boolean> {
  const text =
    'insert into holdfast.told (kind, subject, since, body) values ($1, $2, $3, $4::jsonb) on conflict do nothing'
  const { rowCount } = await database.query(text, [kind, subject, since, JSON.stringify(body)])
  return rowCount > 0
}
