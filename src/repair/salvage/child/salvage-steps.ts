/** Child side: answers the questions of the protocol, one after the other. */
import { join } from 'node:path'
import { confineChild, type Confining } from '../../../check/reader/confine-child.ts'
import { invariant } from '../../../model/bug.ts'
import { notDone } from '../../mend/child/not-done.ts'
import type { SalvageAnswer, SalvageAnswerOf, SalvageQuestion, SalvageQuestionOf, SalvageSlice } from '../protocol.ts'
import { names } from '../protocol.ts'
import { FactsReader } from './facts-reader.ts'
import { Salvager } from './salvager.ts'

export class SalvageSteps {
  readonly #confining: Confining
  #folder: string | null = null
  #salvager: Salvager | null = null
  #facts: FactsReader | null = null
  #run: ReturnType<Salvager['run']> | null = null

  constructor(confining: Confining) {
    this.#confining = confining
  }

  /** @throws errors that are not SQLite's */
  answer(question: SalvageQuestion): SalvageAnswer {
    switch (question.step) {
      case 'confine':
        return this.#confine(question)
      case 'limitFileSize':
        this.#confining.limitFileSize(question.fileBytesMax)
        return { step: 'limitFileSize' }
      case 'salvage':
        return { step: 'salvage', slice: this.#tried(question) }
      case 'tables':
        return { step: 'tables', tables: this.#factsOf().tables() }
      case 'keys':
        return { step: 'keys', keys: this.#factsOf().keys(question.table, question.after, question.keysMax) }
      case 'pages':
        return { step: 'pages', pages: this.#factsOf().pages(question.table, question.after, question.pagesMax) }
      case 'lostRanges':
        return { step: 'lostRanges', ...this.#factsOf().lostRanges(question.table) }
    }
  }

  #confine({ folder, user }: SalvageQuestionOf<'confine'>): SalvageAnswerOf<'confine'> {
    invariant(this.#folder === null, 'a salvaging child is confined once in its life')
    const confined = confineChild(this.#confining, folder, user)
    this.#folder = user === null ? folder : '/'
    return { step: 'confine', ...confined }
  }

  #factsOf(): FactsReader {
    invariant(this.#folder !== null, 'a salvaging child was asked before it was confined')
    return (this.#facts ??= new FactsReader(join(this.#folder, names.facts)))
  }

  #tried(question: SalvageQuestionOf<'salvage'>): SalvageSlice {
    try {
      return this.#slice(question)
    } catch (error) {
      const { reason, why } = notDone(error)
      return reason === 'space' || reason === 'memory' || reason === 'disk'
        ? { kind: 'shortage', of: reason, why }
        : { kind: 'refused', why }
    }
  }

  #slice({ ms, hasSchema, memoryBytesMax }: SalvageQuestionOf<'salvage'>): SalvageSlice {
    invariant(this.#folder !== null, 'a salvaging child was asked before it was confined')
    if (this.#salvager === null) {
      const opened = Salvager.open(this.#folder, hasSchema, memoryBytesMax)
      if (typeof opened === 'string') return { kind: 'not-possible', why: opened }
      this.#salvager = opened
    }
    const run = (this.#run ??= this.#salvager.run())
    const until = performance.now() + ms
    for (let next = run.next(); ; next = run.next()) {
      if (next.done === true) return { kind: 'ended', salvaged: next.value }
      if (performance.now() < until) continue
      const { step, done, total } = this.#salvager.progress
      return { kind: 'going-on', progress: step, done, total }
    }
  }
}
