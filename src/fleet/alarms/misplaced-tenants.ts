/**
 * Tells people of tenants that are on no host, on several hosts, or on other numbers of hosts than `fleet.replicas`
 * says. A tenant that moves is on two hosts for a while, or on none: what was not there at the look before is not told.
 */
import { createHash } from 'node:crypto'
import type { MeantReplicas } from '../../config/fleet/fleet-settings.ts'
import type { FleetDatabase } from '../database/database.ts'
import type { FleetDisagreement, FleetRule } from '../status/fleet-disagreement.ts'
import { findTenantHosts } from '../status/tenant-hosts.ts'
import { conditionOf, noteCondition } from './condition.ts'

/** So many tenants are named in an alarm, in so many letters. */
const namedMax = 5
const lettersMax = 2_000

/** What was told of a rule: the same tenants are told once. */
interface ReportedRule {
  readonly digest: string
  readonly since: string
}

export class MisplacedTenants {
  readonly #database: FleetDatabase
  readonly #replicas: readonly MeantReplicas[]
  /** Null before the first look. */
  #before: ReadonlySet<string> | null = null
  readonly #told = new Map<FleetRule, ReportedRule>()

  constructor(database: FleetDatabase, replicas: readonly MeantReplicas[]) {
    this.#database = database
    this.#replicas = replicas
  }

  /** @throws {Failure} FLEET_* */
  async look(): Promise<void> {
    const { found, at } = await findTenantHosts(this.#database, this.#replicas)
    const listed = found.flatMap((one) => one.listed)
    const before = this.#before
    if (before !== null) {
      const staying = Map.groupBy(
        listed.filter((one) => before.has(keyOf(one))),
        ({ rule }) => rule,
      )
      for (const [rule, tenants] of staying) await this.#tell(rule, tenants, new Date(at))
      for (const rule of this.#told.keys()) if (!staying.has(rule)) this.#told.delete(rule)
      await this.#database.query(over, [[...staying.keys()], [...this.#told.values()].map(({ since }) => since)])
    }
    this.#before = new Set(listed.map(keyOf))
  }

  /** A coordinator that starts again tells the same tenants again, once a day at most. */
  async #tell(rule: FleetRule, tenants: readonly FleetDisagreement[], now: Date): Promise<void> {
    const digest = createHash('sha256')
      .update(JSON.stringify(tenants.map(keyOf)))
      .digest('hex')
    if (this.#told.get(rule)?.digest === digest) return
    const since = `${now.toISOString().slice(0, 10)} ${digest}`
    const named = tenants.slice(0, namedMax).map(({ said }) => said)
    const more = tenants.length > named.length ? `; and ${tenants.length - named.length} more` : ''
    const text = `Where tenants are is not as it should be: ${named.join('; ').slice(0, lettersMax)}${more}.`
    const about = { severity: 'inconclusive', text, command: 'holdfast fleet reconcile' } as const
    await noteCondition(this.#database, conditionOf('misplaced', rule, since, about))
    this.#told.set(rule, { digest, since })
  }
}

const keyOf = ({ rule, service, tenant, said }: FleetDisagreement): string =>
  JSON.stringify([rule, service, tenant, said])

/** Other tenants are told anew. That there are none any more is told as over. `$1`: rules; `$2`: what was told. */
const over = `
with ended as (
  update holdfast.told as known set over_at = now()
  where over_at is null and kind = 'misplaced' and since <> all($2)
  returning known.*
)
insert into holdfast.told (kind, subject, since, body)
select 'recovered', kind || ' ' || subject, since,
  body || jsonb_build_object('severity', 'recovered', 'over', body ->> 'severity', 'text', null, 'command', null)
from ended where sent_at is not null and subject <> all($1)
on conflict do nothing`
