/** How questions and answers of a comparison by key travel: as rows in the fleet's database, read again and again. */

import { z } from 'zod'
import { monotonicMs, sleep } from '../../../host/clock.ts'
import { Failure } from '../../../model/failure.ts'
import { orFailure } from '../../../model/or-failure.ts'
import { jsonOrNull } from '../../../text/json-text.ts'
import type { FleetDatabase } from '../../database/database.ts'
import type { AskHost } from './remote-reader.ts'
import {
  rowAnswers,
  rowFailure,
  rowQuestion,
  type AnsweredStep,
  type AnswerTo,
  type RowQuestion,
  type SentQuestion,
} from './row-questions.ts'

/** Each side looks for a new message so often, in ms. */
const lookEachMs = 100
/** Letters of an answer: columns of the rows of one pass. */
const answerMax = 4_000_000
const questionMax = 400_000

/** An agent that is asked nothing for so long lets its snapshots go, in ms. */
const silentMsMax = 60_000

/** The side of the command that asks. While it lives it shows itself to the agent, which otherwise ends the answers. */
export class HostQuestions implements AskHost {
  readonly #database: FleetDatabase
  readonly #run: string
  readonly #host: string
  readonly #signal: AbortSignal
  readonly #pinging: NodeJS.Timeout
  #number = 0

  constructor(database: FleetDatabase, run: string, host: string, signal: AbortSignal) {
    this.#database = database
    this.#run = run
    this.#host = host
    this.#signal = signal
    this.#pinging = setInterval(() => void this.#put({ step: 'ping' }).catch(() => undefined), silentMsMax / 3).unref()
  }

  async ask<Step extends AnsweredStep>(
    question: Extract<SentQuestion, { step: Step }>,
    timeoutMs: number,
  ): Promise<AnswerTo<Step>> {
    const number = await this.#put(question)
    for (const endsAtMs = monotonicMs() + timeoutMs; monotonicMs() < endsAtMs; await sleep(lookEachMs, this.#signal)) {
      const text = await this.#answerTo(number)
      if (text !== null) return this.#read<Step>((question as { readonly step: Step }).step, text)
    }
    throw new Failure(
      'READ_FAILED',
      `the agent of ${this.#host} gave no answer within ${Math.round(timeoutMs / 1000)} s`,
    )
  }

  /** The agent then lets the snapshots go. */
  async end(): Promise<void> {
    clearInterval(this.#pinging)
    await this.#put({ step: 'end' })
  }

  async #put(question: SentQuestion): Promise<number> {
    const number = this.#number++
    await this.#database.query('insert into holdfast.question (run, host, number, question) values ($1, $2, $3, $4)', [
      this.#run,
      this.#host,
      number,
      JSON.stringify(question),
    ])
    return number
  }

  async #answerTo(number: number): Promise<string | null> {
    const { rows } = await this.#database.query<{ readonly answer: string }>(
      `select left(answer, ${answerMax}) as answer from holdfast.question
       where run = $1 and host = $2 and number = $3 and answer is not null`,
      [this.#run, this.#host, number],
    )
    return rows[0]?.answer ?? null
  }

  #read<Step extends AnsweredStep>(step: Step, text: string): AnswerTo<Step> {
    const given = jsonOrNull(text)
    const failure = rowFailure.safeParse(given)
    if (failure.success) throw new Failure('READ_FAILED', `${this.#host}: ${failure.data.failed}`)
    const answer = z.safeParse(rowAnswers[step], given)
    if (answer.success) return answer.data as AnswerTo<Step>
    throw new Failure('READ_FAILED', `the agent of ${this.#host} sent something that is no answer`)
  }
}

/** Deletes the questions of a comparison, and those that others left behind more than a day ago. */
export async function forgetQuestions(database: FleetDatabase, run: string): Promise<void> {
  await database.query("delete from holdfast.question where run = $1 or asked_at < now() - interval '1 day'", [run])
}

/** The side of the agent, which answers. */
export class QuestionsOfRun {
  readonly #database: FleetDatabase
  readonly #run: string
  readonly #host: string
  #next = 0
  #asked = 0

  constructor(database: FleetDatabase, run: string, host: string) {
    this.#database = database
    this.#run = run
    this.#host = host
  }

  /** @returns null if the comparison has ended, or nothing was asked for a minute @throws {Failure} FLEET_* */
  async next(): Promise<RowQuestion | null> {
    for (const endsAtMs = monotonicMs() + silentMsMax; monotonicMs() < endsAtMs; await sleep(lookEachMs)) {
      const { rows } = await this.#database.query<{ readonly question: string }>(
        `select left(question, ${questionMax}) as question from holdfast.question
         where run = $1 and host = $2 and number = $3`,
        [this.#run, this.#host, this.#next],
      )
      const text = rows[0]?.question
      if (text === undefined) continue
      this.#asked = this.#next++
      const question = readQuestion(text)
      if (question !== null) return question
      await this.answer({ failed: 'this is no question' })
    }
    return null
  }

  /** To the last question. @throws {Failure} FLEET_* */
  async answer(answer: object): Promise<void> {
    await this.#database.query(
      'update holdfast.question set answer = $4 where run = $1 and host = $2 and number = $3',
      [this.#run, this.#host, this.#asked, JSON.stringify(answer)],
    )
  }
}

/** A database that is away ends the comparison: nothing waits for it. */
export const answersFrom = (questions: QuestionsOfRun) => ({
  nextQuestion: async (): Promise<RowQuestion | null> => {
    const question = await orFailure(questions.next())
    return question instanceof Failure ? null : question
  },
  onAnswer: (answer: object): void => void orFailure(questions.answer(answer)),
})

/** null if it is none. */
function readQuestion(text: string): RowQuestion | null {
  const { data } = rowQuestion.safeParse(jsonOrNull(text))
  return data ?? null
}
