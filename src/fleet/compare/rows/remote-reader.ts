/** The reader of a snapshot on another host. It answers the questions that `compareRows` asks of a reader. */

import type { AnswerOf, MissingAnswer, QuestionOf, Reader, ReaderStep } from '../../../check/protocol.ts'
import { Bug } from '../../../model/bug.ts'
import { Failure } from '../../../model/failure.ts'
import { pack, unpackWords } from './pack-numbers.ts'
import type { AnsweredStep, AnswerTo, SentQuestion } from './row-questions.ts'

/** Asks the agent of one host. */
export interface AskHost {
  /** @throws {Failure} READ_FAILED if there is no answer in time, or none that fits */
  ask<Step extends AnsweredStep>(
    question: Extract<SentQuestion, { step: Step }>,
    timeoutMs: number,
  ): Promise<AnswerTo<Step>>
}

export class RemoteReader implements Reader {
  readonly #host: AskHost

  /** @param host must have opened the file */
  constructor(host: AskHost) {
    this.#host = host
  }

  async ask<S extends ReaderStep>(question: QuestionOf<S>, timeoutMs: number): Promise<AnswerOf<S> | MissingAnswer> {
    try {
      return (await this.#answerTo(question, timeoutMs)) as AnswerOf<S>
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return { step: 'not-answered', how: 'failed', detail: error.message }
    }
  }

  async #answerTo(question: QuestionOf<ReaderStep>, timeoutMs: number): Promise<AnswerOf<ReaderStep>> {
    switch (question.step) {
      case 'beginTable': {
        const { tree, reading } = question as QuestionOf<'beginTable'>
        const { identity, asUtf8, key } = reading
        const { refused } = await this.#host.ask<'begin'>(
          { step: 'begin', tree, identity, asUtf8, key: [key[0], key[1]] },
          timeoutMs,
        )
        return refused === null
          ? { step: 'beginTable', kind: 'ready' }
          : { step: 'beginTable', kind: 'not-possible', why: refused }
      }
      case 'sumRows': {
        const { sums, ...more } = await this.#host.ask<'sums'>({ step: 'sums' }, timeoutMs)
        return { step: 'sumRows', ...more, sums: unpackWords(sums, Int32Array) }
      }
      case 'collectRows': {
        const { wanted } = question as QuestionOf<'collectRows'>
        const packedMarks = wanted === null ? null : pack(wanted)
        const rows = await this.#host.ask<'rows'>({ step: 'rows', wanted: packedMarks }, timeoutMs)
        const { count, keyLow, keyHigh, contentLow, contentHigh, full, unread } = rows
        const columns = [keyLow, keyHigh, contentLow, contentHigh].map((column) => unpackWords(column, Int32Array))
        if (columns.some((column) => column.length !== count))
          throw new Failure('READ_FAILED', 'an agent sent columns of different lengths')
        const [a, b, c, d] = columns as [Int32Array, Int32Array, Int32Array, Int32Array]
        const entries = { count, keyLow: a, keyHigh: b, contentLow: c, contentHigh: d }
        return { step: 'collectRows', entries, full, unread }
      }
      case 'nameRows': {
        const { onlyHere, different } = question as QuestionOf<'nameRows'>
        await this.#host.ask<'name'>({ step: 'name', onlyHere: pack(onlyHere), different: pack(different) }, timeoutMs)
        return { step: 'nameRows' }
      }
      case 'firstKeys': {
        const { onlyHere, different } = await this.#host.ask<'first'>({ step: 'first' }, timeoutMs)
        return { step: 'firstKeys', onlyHere, different }
      }
      default:
        throw new Bug(`a reader on another host is not asked for ${question.step}`)
    }
  }
}
