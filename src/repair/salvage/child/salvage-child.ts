/**
 * The program of the child process that salvages a damaged file. A hostile file can harm this process only
 * (hold/README.md, F10 and Security).
 */
import Database from 'better-sqlite3'
import {
  answerQuestions,
  confine,
  confineInPlace,
  limitFileSize,
  setIdlePriority,
} from '../../../host/process/child-side.ts'
import { CannotConfine } from '../../../host/process/confine.ts'
import type { Confinement } from '../../../check/protocol.ts'
import type { SalvageAnswer, SalvageAnswerOf, SalvageQuestion, SalvageQuestionOf } from '../protocol.ts'
import { Salvager } from './salvager.ts'

class SalvageChild {
  #folder = ''
  #salvager: Salvager | null = null
  #run: ReturnType<Salvager['run']> | null = null

  answer(question: SalvageQuestion): SalvageAnswer {
    switch (question.step) {
      case 'confine':
        return { step: 'confine', confinement: this.#confine(question) }
      case 'limitFileSize':
        limitFileSize(question.fileBytesMax)
        return { step: 'limitFileSize' }
      case 'salvage':
        return { step: 'salvage', ...this.#salvage(question) }
    }
  }

  #confine({ folder, user }: SalvageQuestionOf<'confine'>): Confinement {
    new Database(':memory:').close() // Loads the library before the file system is out of reach.
    try {
      const walls = user === null ? confineInPlace() : confine({ folder, ...user })
      this.#folder = user === null ? folder : '/'
      process.chdir(this.#folder) // SQLite puts its temporary files here.
      return { kind: 'stands', walls }
    } catch (error) {
      if (error instanceof CannotConfine) return { kind: 'refused', why: error.message }
      throw error
    }
  }

  #salvage({ ms, hasSchema, memoryBytesMax }: SalvageQuestionOf<'salvage'>): Omit<SalvageAnswerOf<'salvage'>, 'step'> {
    if (this.#salvager === null) {
      const opened = Salvager.open(this.#folder, hasSchema, memoryBytesMax)
      if (typeof opened === 'string') return { kind: 'not-possible', why: opened }
      this.#salvager = opened
    }
    const run = (this.#run ??= this.#salvager.run())
    const until = performance.now() + ms
    for (let next = run.next(); ; next = run.next()) {
      if (next.done === true) return { kind: 'ended', salvaged: next.value }
      if (performance.now() > until) return { kind: 'going-on', ...this.#salvager.progress }
    }
  }
}

const child = new SalvageChild()
setIdlePriority()
answerQuestions<SalvageQuestion, SalvageAnswer>((question) => child.answer(question))
