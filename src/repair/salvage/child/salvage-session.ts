/** Child side: answers the questions of the protocol, one after the other. */
import { join } from 'node:path'
import type { Answer, FirstSteps, Question } from '../../worker/steps.ts'
import type { SalvageSlice, SalvageSteps } from '../protocol.ts'
import { names } from '../protocol.ts'
import { FactsReader } from './facts-reader.ts'
import { Salvager } from './salvager.ts'

export class SalvageSession {
  readonly #folder: string
  #salvager: Salvager | null = null
  #run: ReturnType<Salvager['run']> | null = null
  #facts: FactsReader | null = null

  /** @param folder of the sandbox */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** @throws what SQLite throws over the new file */
  answer(question: Exclude<Question<SalvageSteps>, Question<FirstSteps>>): Answer<SalvageSteps> {
    switch (question.step) {
      case 'salvage':
        return { step: 'salvage', slice: this.#slice(question) }
      case 'tables':
        return { step: 'tables', tables: this.#factsOf().tables() }
      case 'keys':
        return { step: 'keys', keys: this.#factsOf().keys(question.table, question.after, question.keysMax) }
      case 'dropped':
        return { step: 'dropped', entries: this.#factsOf().dropped(question.after) }
      case 'pages':
        return { step: 'pages', pages: this.#factsOf().pages(question.table, question.after, question.pagesMax) }
      case 'lostRanges':
        return { step: 'lostRanges', ...this.#factsOf().lostRanges(question.table) }
    }
  }

  /** Only after the end. */
  #factsOf(): FactsReader {
    return (this.#facts ??= new FactsReader(join(this.#folder, names.facts)))
  }

  #slice({ ms, hasSchema, listDropped, memoryBytesMax }: SalvageSteps['salvage']['ask']): SalvageSlice {
    if (this.#salvager === null) {
      const opened = Salvager.open(this.#folder, hasSchema, memoryBytesMax)
      if (typeof opened === 'string') return { kind: 'not-possible', why: opened }
      this.#salvager = opened
    }
    const run = (this.#run ??= this.#salvager.run(listDropped))
    const until = performance.now() + ms
    for (let next = run.next(); ; next = run.next()) {
      if (next.done === true) return { kind: 'ended', salvaged: next.value }
      if (performance.now() < until) continue
      const { step, done, total } = this.#salvager.progress
      return { kind: 'going-on', progress: step, done, total }
    }
  }
}
