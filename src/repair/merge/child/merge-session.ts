/**
 * Child side: answers the questions of the parent (repair/merge/protocol.ts). What SQLite cannot do is an answer, and
 * no error.
 */

import { confineChild } from '../../../check/reader/confine-child.ts'
import type { Confining } from '../../../check/reader/confine-child.ts'
import { invariant } from '../../../model/bug.ts'
import { notDone, notDoneBecause } from '../../mend/child/not-done.ts'
import { MergeRefused } from '../merge-refused.ts'
import type { MergeAnswer, MergeQuestion } from '../protocol.ts'
import { Merger } from './merger.ts'

export class MergeSession {
  readonly #confining: Confining
  #folder: string | null = null
  #merger: Merger | null = null

  constructor(confining: Confining) {
    this.#confining = confining
  }

  answer(question: MergeQuestion): MergeAnswer {
    try {
      return this.#answer(question)
    } catch (error) {
      return { step: 'not-done', ...(error instanceof MergeRefused ? notDoneBecause(error.message) : notDone(error)) }
    }
  }

  #answer(question: MergeQuestion): MergeAnswer {
    const { step } = question
    switch (question.step) {
      case 'confine': {
        const { folder, user } = question
        this.#folder = user === null ? folder : '/'
        return { step: question.step, ...confineChild(this.#confining, folder, user) }
      }
      case 'limitFileSize':
        this.#confining.limitFileSize(question.fileBytesMax)
        return { step: question.step }
      case 'open':
        invariant(this.#folder !== null, 'a child is confined before it opens files')
        this.#merger = new Merger(this.#folder, question)
        return { step: question.step, tables: this.#merger.names }
      default:
        invariant(this.#merger !== null, `the files are opened before \`${step}\``)
        return answerOf(this.#merger, question)
    }
  }
}

type OfMerger = Exclude<MergeQuestion, { step: 'confine' | 'limitFileSize' | 'open' }>

function answerOf(merger: Merger, question: OfMerger): MergeAnswer {
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
