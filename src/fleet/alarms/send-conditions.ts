/**
 * Sends what is to be told, each condition once. Conditions of one kind that are new together make one alarm, with an
 * id that is stored before it is sent. A sink that gets it twice, because the coordinator died in between, can see
 * that.
 */
import { z } from 'zod'
import type { AlertKind } from '../../config/settings.ts'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { FleetDatabase } from '../database/database.ts'
import type { FleetConditionBody } from './condition.ts'

/** One alarm about conditions of one severity and one service. */
export interface FleetAlarm {
  /** 26 letters; the same if it is sent again. */
  readonly id: string
  readonly severity: AlertKind
  /** What is over, for a recovery; else null. */
  readonly over: AlertKind | null
  readonly service: string | null
  /** When the first of them was noted. */
  readonly since: Date
  readonly conditions: readonly FleetConditionBody[]
}

/** Resolves to true when each sink has taken it that gets alarms of this kind. Does not throw. */
export type SendFleetAlarm = (alarm: FleetAlarm) => Promise<boolean>

export interface ConditionSenderOptions {
  readonly database: FleetDatabase
  /** Names this coordinator to the others. */
  readonly id: string
  readonly send: SendFleetAlarm
  /** A clock in ms that never jumps. */
  readonly now: () => number
}

/** Damage and what could not be checked comes in many pieces while a sweep works. */
const gatherMs: Partial<Record<AlertKind, number>> = { damaged: 60_000, inconclusive: 60_000, recovered: 60_000 }
/** An alarm that a sink did not take is sent again after this. */
const againMs = 60_000
/** A coordinator that does not go on for so long is dead: another one sends its alarms. */
const takeOverMs = 180_000
/** So many conditions make one alarm. */
const conditionsMax = 1_000
/** After so long no coordinator tries any more. */
const daysMax = 7

interface OpenBatch {
  readonly batch: string
  readonly sender: string
  readonly sends: number
}

interface WatchedBatch {
  readonly sends: number
  readonly sinceMs: number
}

export class ConditionSender {
  readonly #with: ConditionSenderOptions
  readonly #gatheredAtMs = new Map<string, number>()
  readonly #watched = new Map<string, WatchedBatch>()

  constructor(options: ConditionSenderOptions) {
    this.#with = options
  }

  /** Sends what is due. @throws {Failure} FLEET_* */
  async send(): Promise<void> {
    await this.#gather()
    for (const batch of await this.#due()) await this.#sendBatch(batch)
  }

  /** Makes alarms of what is new, and makes this coordinator their sender. */
  async #gather(): Promise<void> {
    const { database, id, now } = this.#with
    const { rows } = await database.query<{ severity: string; over: string | null; service: string | null }>(newKinds)
    for (const { severity, over, service } of rows) {
      const key = JSON.stringify([severity, over, service])
      const waitMs = gatherMs[severity as AlertKind] ?? 0
      if (now() - (this.#gatheredAtMs.get(key) ?? -Infinity) < waitMs) continue
      await database.query(gather, [newRunId(), id, severity, over, service, conditionsMax])
      this.#gatheredAtMs.set(key, now())
    }
  }

  /** The alarms that this coordinator has to send now: its own, and those of one that is dead. */
  async #due(): Promise<readonly OpenBatch[]> {
    const { database, id, now } = this.#with
    const { rows } = await database.query<OpenBatch>(openBatches, [daysMax])
    const due: OpenBatch[] = []
    for (const batch of rows) {
      const { sender, sends } = batch
      const before = this.#watched.get(batch.batch)
      const watched = before?.sends === sends ? before : { sends, sinceMs: now() }
      this.#watched.set(batch.batch, watched)
      const waitMs = sender === id ? (sends === 0 ? 0 : againMs) : takeOverMs
      if (now() - watched.sinceMs >= waitMs) due.push(batch)
    }
    const open = new Set(rows.map(({ batch }) => batch))
    for (const batch of this.#watched.keys()) if (!open.has(batch)) this.#watched.delete(batch)
    return due
  }

  async #sendBatch({ batch, sends }: OpenBatch): Promise<void> {
    const { database, id, send } = this.#with
    const { rows } = await database.query<{ body: unknown; inserted_at: Date }>(claim, [batch, sends, id])
    const conditions = rows.flatMap(({ body }) => readBody(body) ?? [])
    const [first] = conditions
    const since = rows[0]?.inserted_at
    if (since === undefined) return // Another coordinator was faster.
    const { severity, over, service } = first ?? {}
    const isSent =
      severity === undefined ||
      (await send({ id: batch, severity, over: over ?? null, service: service ?? null, since, conditions }))
    if (isSent) await database.query('update holdfast.told set sent_at = now() where batch = $1', [batch])
  }
}

const severity = z.enum(['harm', 'paused', 'damaged', 'stale', 'inconclusive', 'recovered'])
const text = z.string().max(4096).nullable()

/** A person types it. What the database adds of its own is left out. */
const command = z
  .enum(['holdfast fleet status', 'holdfast fleet agents', 'holdfast fleet reconcile'])
  .nullable()
  .catch(null)

const bodyShape = z.object({
  severity,
  over: severity.nullable(),
  service: text,
  host: text,
  tenant: text,
  path: text,
  verdict: text,
  damage: text,
  text,
  command,
})

/** Text of the database is untrusted. */
const readBody = (body: unknown): FleetConditionBody | null => bodyShape.safeParse(body).data ?? null

const newKinds = `
select distinct body ->> 'severity' as severity, body ->> 'over' as over, body ->> 'service' as service
from holdfast.told where sent_at is null and over_at is null and batch is null order by 1, 2, 3`

const gather = `
update holdfast.told as known set batch = $1, sender = $2
from (
  select kind, subject, since from holdfast.told
  where sent_at is null and over_at is null and batch is null and body ->> 'severity' = $3
    and body ->> 'over' is not distinct from $4 and body ->> 'service' is not distinct from $5
  order by inserted_at limit $6 for update skip locked
) as due
where (known.kind, known.subject, known.since) = (due.kind, due.subject, due.since)`

const openBatches = `
select batch, min(sender) as sender, max(sends) as sends from holdfast.told
where sent_at is null and batch is not null and inserted_at > now() - make_interval(days => $1)
group by batch order by batch`

const claim = `
update holdfast.told set sends = sends + 1, sender = $3 where batch = $1 and sends = $2 and sent_at is null
returning body, inserted_at`
