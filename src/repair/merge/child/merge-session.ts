/** Child side: answers the questions of the parent (repair/merge/protocol.ts). */

import { invariant } from '../../../model/bug.ts'
import type { Answer, FirstSteps, Question } from '../../worker/steps.ts'
import type { MergeSteps } from '../protocol.ts'
import { Merger } from './merger.ts'

type MergeQuestion = Exclude<Question<MergeSteps>, Question<FirstSteps>>

export class MergeSession {
  readonly #folder: string
  #merger: Merger | null = null

  /** @param folder of the sandbox */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** @throws what SQLite throws, and `RefusalError` */
  answer(question: MergeQuestion): Answer<MergeSteps> {
    if (question.step === 'open') {
      this.#merger = new Merger(this.#folder, question)
      return { step: question.step, tables: this.#merger.names }
    }
    invariant(this.#merger !== null, `the files are opened before \`${question.step}\``)
    return answerOf(this.#merger, question)
  }
}

function answerOf(merger: Merger, question: Exclude<MergeQuestion, { step: 'open' }>): Answer<MergeSteps> {
  switch (question.step) {
    case 'compare':
      merger.compare(question.table)
      return { step: question.step }
    case 'write':
      merger.write(question.table)
      return { step: question.step }
    case 'complete':
      return { step: question.step, unmerged: merger.complete() }
    case 'totals':
      return { step: question.step, ...merger.totals(question.table) }
    case 'keys':
      return { step: question.step, ...merger.keys(question.table, question.kind) }
    case 'lostRanges':
      return { step: question.step, ...merger.lostRanges(question.table) }
    case 'close':
      merger.close()
      return { step: question.step }
  }
}
