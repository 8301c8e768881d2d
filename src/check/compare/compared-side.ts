/**
 * One side of a comparison: asks its child, and keeps the first trouble: a child that died has lost what it knew, so
 * nothing more is asked of it.
 */
import type { CensusPlan } from '../../census/plan.ts'
import type { SchemaDescription } from '../../comparison/schema.ts'
import { monotonicMs } from '../../host/clock.ts'
import { ChildEnded } from '../../host/process/child.ts'
import type { AnswerOf, QuestionOf, ReaderStep } from '../protocol.ts'
import type { Reader } from '../reading-builder.ts'
import { StepFailed } from '../replaceable-reader.ts'

export interface OpenedSchema {
  readonly plan: CensusPlan | null
  readonly description: SchemaDescription
}

export class ComparedSide {
  /** Why nothing more can be asked; null while it can. */
  trouble: string | null = null
  readonly #asking: Reader
  readonly #endsAtMs: number

  /** @param endsAtMs on the monotonic clock */
  constructor(asking: Reader, endsAtMs: number) {
    this.#asking = asking
    this.#endsAtMs = endsAtMs
  }

  /**
   * Recovers the snapshot, unless the check has done it, and reads its schema. null, and trouble, where that is not
   * possible.
   */
  async open(): Promise<OpenedSchema | null> {
    const look = await this.ask<'look'>({ step: 'look' })
    if (look === null) return null
    // SQLite would look for the super-journal by its absolute path, and delete the live one.
    if (look.superJournal !== null) return this.#fail('its journal belongs to a transaction over several files')
    const settled = await this.ask<'settle'>({ step: 'settle', keep: false })
    if (settled === null) return null
    if (!settled.settled && (look.hotJournal || look.walCommits))
      return this.#fail('its journal or write-ahead log could not be written back')
    const schema = await this.ask<'schema'>({ step: 'schema' })
    if (schema === null) return null
    if (!schema.opened) return this.#fail('SQLite cannot read its schema')
    if (schema.refused.length > 0) return this.#fail(`SQLite does not take all of its schema (${schema.refused[0]})`)
    const answer = await this.ask<'describe'>({ step: 'describe' })
    if (answer === null) return null
    return answer.kind === 'described'
      ? { plan: schema.plan, description: answer.description }
      : this.#fail(`its schema could not be read: ${answer.why}`)
  }

  /** null when the child did not come to its end, or had not before. @throws the reason of an abort */
  async ask<S extends ReaderStep>(question: QuestionOf<S>): Promise<AnswerOf<S> | null> {
    if (this.trouble !== null) return null
    const leftMs = this.#endsAtMs - monotonicMs()
    if (leftMs <= 0) return this.#fail('no time was left for it')
    try {
      return await this.#asking.ask<S>(question, leftMs)
    } catch (error) {
      if (error instanceof ChildEnded) return this.#fail(endings[error.ended.how] ?? 'the process that read it ended')
      if (error instanceof StepFailed) return this.#fail(`it could not be read: ${error.message}`)
      throw error
    }
  }

  #fail(why: string): null {
    this.trouble ??= why
    return null
  }
}

const endings: Readonly<Record<string, string>> = {
  'killed-timeout': 'looking at it took longer than it may',
  'killed-memory': 'looking at it took more memory than it may',
}
