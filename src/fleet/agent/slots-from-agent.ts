/** The slots of the fleet, as the process of a chunk gets them: the agent takes them from the database. */

import type { SlotRefusal, SlotSource, TakenSlot } from '../pause/slot-permit.ts'
import type { FromChunk } from './chunk-messages.ts'

/** The agent answers within the time that the database has, unless it is frozen or very busy. */
const answerMsMax = 15_000

export class SlotsFromAgent implements SlotSource {
  readonly #send: (message: FromChunk) => void
  readonly #asked = new Map<number, (answer: TakenSlot | SlotRefusal) => void>()
  #numbers = 0
  #isClosed = false

  constructor(send: (message: FromChunk) => void) {
    this.#send = send
  }

  async take(): Promise<TakenSlot | SlotRefusal> {
    if (this.#isClosed) return agentIsGone
    const number = this.#numbers++
    const asked = Promise.withResolvers<TakenSlot | SlotRefusal>()
    this.#asked.set(number, asked.resolve)
    const timer = setTimeout(() => asked.resolve(noAnswer), answerMsMax)
    this.#send({ kind: 'take', number })
    const answer = await asked.promise
    clearTimeout(timer)
    this.#asked.delete(number)
    return answer
  }

  release(slot: TakenSlot): void {
    this.#send({ kind: 'release', slot })
  }

  /** An answer that comes too late is a slot that no one uses. */
  hear(number: number, answer: TakenSlot | SlotRefusal): void {
    const resolve = this.#asked.get(number)
    if (resolve !== undefined) return resolve(answer)
    if ('rows' in answer) this.release(answer)
  }

  /** The agent is gone. */
  close(): void {
    this.#isClosed = true
    for (const resolve of this.#asked.values()) resolve(agentIsGone)
  }
}

const agentIsGone: SlotRefusal = { refused: 'away', why: 'the agent is gone' }
const noAnswer: SlotRefusal = { refused: 'away', why: `the agent has not answered for ${answerMsMax / 1000} s` }
