/**
 * One side of a comparison: asks its reader. After the first question without an answer it asks no more: a process that
 * died has lost what it knew.
 */
import type { CensusPlan } from '../../census/plan.ts'
import type { SchemaDescription } from '../../comparison/schema.ts'
import { monotonicMs } from '../../host/clock.ts'
import { isUnanswered } from '../protocol.ts'
import type { AnswerOf, MissingAnswer, QuestionOf, Reader, ReaderStep } from '../protocol.ts'

export interface OpenedSchema {
  readonly plan: CensusPlan | null
  readonly description: SchemaDescription
}

export class ComparedSide {
  /** Why nothing more can be asked; null as long as something can. */
  stoppedWhy: string | null = null
  readonly #reader: Reader
  readonly #endsAtMs: number

  /** @param endsAtMs on the monotonic clock */
  constructor(reader: Reader, endsAtMs: number) {
    this.#reader = reader
    this.#endsAtMs = endsAtMs
  }

  /** Recovers the snapshot if the check has not, and reads its schema. @returns null if that is not possible */
  async open(): Promise<OpenedSchema | null> {
    const files = await this.ask<'inspect'>({ step: 'inspect' })
    if (files === null) return null
    // SQLite would search for the super-journal by its absolute path, and delete the live one.
    if (files.superJournal !== null) return this.#stop('its journal belongs to a transaction over several files')
    const answer = await this.ask<'recover'>({ step: 'recover', keep: false })
    if (answer === null) return null
    if (!answer.recovered && (files.hotJournal || files.walCommits))
      return this.#stop('its journal or write-ahead log could not be written back')
    const schema = await this.ask<'schema'>({ step: 'schema' })
    if (schema === null) return null
    if (!schema.opened) return this.#stop('SQLite cannot read its schema')
    if (schema.refused.length > 0) return this.#stop(`SQLite does not take all of its schema (${schema.refused[0]})`)
    const described = await this.ask<'describe'>({ step: 'describe' })
    if (described === null) return null
    return described.kind === 'described'
      ? { plan: schema.plan, description: described.description }
      : this.#stop(`its schema could not be read: ${described.why}`)
  }

  /** @returns null if there is no answer, now or to an earlier question @throws signal.reason if it was aborted */
  async ask<S extends ReaderStep>(question: QuestionOf<S>): Promise<AnswerOf<S> | null> {
    if (this.stoppedWhy !== null) return null
    const leftMs = this.#endsAtMs - monotonicMs()
    if (leftMs <= 0) return this.#stop('no time was left for it')
    const answer = await this.#reader.ask<S>(question, leftMs)
    return isUnanswered<S>(answer) ? this.#stop(inWords(answer)) : answer
  }

  #stop(why: string): null {
    this.stoppedWhy ??= why
    return null
  }
}

function inWords({ how, detail }: MissingAnswer): string {
  switch (how) {
    case 'failed':
      return `it could not be read: ${detail}`
    case 'timeout':
      return 'reading it took longer than it may'
    case 'memory':
      return 'reading it took more memory than it may'
    case 'killed':
    case 'crashed':
      return 'the process that read it ended'
  }
}
