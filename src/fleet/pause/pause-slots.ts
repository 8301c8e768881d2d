/**
 * The agent's side of the limit: takes slots from the database and gives them back, each with one statement. So an
 * agent that dies or freezes never leaves a transaction open. It has no tenant and no live file: the process that holds
 * asks it (`SlotSource`).
 */
import { randomUUID } from 'node:crypto'
import { Failure } from '../../model/failure.ts'
import { printable } from '../../text/printable.ts'
import type { FleetDatabase } from '../database/database.ts'
import { placeOfScope } from './breaker.ts'
import { FenceMemory } from './fence-memory.ts'
import type { SlotRefusal, SlotRow, SlotSource, TakenSlot } from './slot-permit.ts'

export interface PauseSlotsOptions {
  readonly database: FleetDatabase
  /** The name of this host. */
  readonly host: string
  /** See `agentIdentity`. */
  readonly identity: string
  readonly service: string
  /** Null if hosts fail singly. */
  readonly domain: string | null
  /** `fleet.expiry` of this host: no coordinator frees a slot that it has taken earlier. */
  readonly expiryMs: number
  /** Called with what went wrong, for the log. */
  readonly onFailure: (failure: Failure) => void
}

type TakeAnswer =
  | { readonly epoch: string; readonly generation: number; readonly rows: readonly SlotRow[] }
  | { readonly refused: 'epoch' }
  | { readonly refused: 'full'; readonly scope: string; readonly hosts?: number }
  | { readonly refused: 'limit'; readonly scope: string }
  | { readonly refused: 'breaker'; readonly scope: string; readonly reason: string; readonly by: string }

/**
 * About so many come from all hosts together, whatever is full: the fleet, a service or a failure domain. A thousand
 * hosts that asked every second would take a whole processor of the database.
 */
const questionsInSecond = 100
const againMsMax = 10_000

/** A slot that the database does not take back is given back later, at most so many of them. */
const unreturnedMax = 100

export class PauseSlots implements SlotSource {
  readonly #with: PauseSlotsOptions
  readonly #scopes: readonly string[]
  readonly #memory = new FenceMemory()
  readonly #unreturned: TakenSlot[] = []
  /** Slots that are on their way back. */
  readonly #returning = new Set<Promise<void>>()

  constructor(options: PauseSlotsOptions) {
    this.#with = options
    this.#scopes = scopesOf(options)
  }

  async take(): Promise<TakenSlot | SlotRefusal> {
    const { database, host, identity, expiryMs } = this.#with
    const seen = this.#memory.mark()
    try {
      const { rows } = await database.query<{ readonly answer: TakeAnswer }>(
        'select holdfast.pause_take($1, $2, $3, $4, $5) answer',
        [this.#scopes, host, identity, randomUUID(), expiryMs],
      )
      const answer = rows[0]?.answer
      if (!answer || 'refused' in answer) return refusal(answer)
      void this.#returnOthers()
      if (this.#memory.accept(answer, seen)) return answer
      await database.query('select holdfast.pause_doubt($1)', [this.#memory.generation])
      return { refused: 'away', why: 'the database has forgotten slots that it gave out: it was rolled back' }
    } catch (error) {
      return { refused: 'away', why: `the database of the fleet does not answer (${this.#report(error)})` }
    }
  }

  release(slot: TakenSlot): void {
    const returned = this.#return(slot).finally(() => this.#returning.delete(returned))
    this.#returning.add(returned)
  }

  /** Resolves when every slot that was given back is free, or could not be freed. To be called before the end. */
  async untilReturned(): Promise<void> {
    await Promise.all(this.#returning)
  }

  async #return(slot: TakenSlot): Promise<void> {
    try {
      await freeSlots(this.#with.database, slot)
    } catch (error) {
      this.#report(error)
      if (this.#unreturned.length < unreturnedMax) this.#unreturned.push(slot)
    }
  }

  /** The database answers again. */
  async #returnOthers(): Promise<void> {
    for (const slot of this.#unreturned.splice(0)) await this.#return(slot)
  }

  #report(error: unknown): string {
    if (!(error instanceof Failure)) throw error
    this.#with.onFailure(error)
    return error.message
  }
}

/** The scopes that a pause counts in, in the order in which every agent takes them. */
const scopesOf = ({ service, domain }: Pick<PauseSlotsOptions, 'service' | 'domain'>): readonly string[] =>
  ['fleet', `service:${service}`, ...(domain === null ? [] : [`domain:${domain}`])].toSorted()

/** @returns how many rows were freed: those whose fence is still the given one, in the epoch of the slot */
export async function freeSlots(database: FleetDatabase, { epoch, generation, rows }: TakenSlot): Promise<number> {
  const answer = await database.query<{ readonly freed: number }>('select holdfast.pause_free($1, $2, $3) freed', [
    JSON.stringify(rows),
    epoch,
    generation,
  ])
  return answer.rows[0]?.freed ?? 0
}

function refusal(answer: Exclude<TakeAnswer, { readonly rows: unknown }> | undefined): SlotRefusal {
  switch (answer?.refused) {
    case 'full': {
      const { scope, hosts = 0 } = answer
      const againMs = Math.min((hosts / questionsInSecond) * 1000, againMsMax)
      return { refused: 'full', why: `as many tenants are paused as ${placeOfScope(scope)} allows`, againMs }
    }
    case 'limit':
      return { refused: 'away', why: `no coordinator has set the limit of ${placeOfScope(answer.scope)} yet` }
    case 'breaker':
      return {
        refused: 'stopped',
        why: `pauses of ${placeOfScope(answer.scope)} were stopped: ${printableText(answer.reason)}`,
      }
    default:
      return { refused: 'away', why: 'the database was replaced or restored, and a coordinator must watch it first' }
  }
}

/** Texts of the database are not trusted. */
const printableText = (text: string): string => printable(text.slice(0, 200))
