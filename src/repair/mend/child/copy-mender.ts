/** Child side: answers the questions of the protocol, one after the other. */
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import type { CompiledCore } from '../../../census/fast/compiled-core.ts'
import { recoveredName } from '../../../check/protocol.ts'
import { confineChild } from '../../../check/reader/confine-child.ts'
import type { Confining } from '../../../check/reader/confine-child.ts'
import { loadCore } from '../../../check/reader/pages/compiled-core.ts'
import { invariant } from '../../../model/bug.ts'
import { droppedName, rewrittenName } from '../protocol.ts'
import type { MenderAnswer, MenderAnswerOf, MenderQuestion, MenderQuestionOf } from '../protocol.ts'
import { listDropped } from './dropped-entries.ts'
import { tryDone } from './not-done.ts'
import { closeCopy, openCopy, usesWal } from './open-copy.ts'
import { reindex } from './reindex.ts'
import { rewriteInto } from './rewrite.ts'
import { rebuildText } from './text-index.ts'

export class CopyMender {
  readonly #confining: Confining
  #core: CompiledCore | null = null
  #folder: string | null = null
  #db: Database.Database | null = null
  /** The journal mode that the copy had, and that the result gets. */
  #wal = false

  constructor(confining: Confining) {
    this.#confining = confining
  }

  /** @throws errors that are not SQLite's */
  answer(question: MenderQuestion): MenderAnswer {
    switch (question.step) {
      case 'confine':
        return this.#confine(question)
      case 'limitFileSize':
        this.#confining.limitFileSize(question.fileBytesMax)
        return { step: 'limitFileSize' }
      case 'listDropped':
        return { step: 'listDropped', listed: this.#listDropped(question) }
      case 'open':
        return { step: 'open', opened: this.#open() }
      case 'rewrite':
        return { step: 'rewrite', rewritten: this.#rewrite(question) }
      case 'reindex':
        return { step: 'reindex', rebuilt: reindex(this.#opened(), question.index) }
      case 'rebuildText':
        return { step: 'rebuildText', rebuilt: rebuildText(this.#opened(), question.table) }
      case 'close':
        return { step: 'close', closed: this.#close() }
    }
  }

  #confine({ folder, user }: MenderQuestionOf<'confine'>): MenderAnswerOf<'confine'> {
    invariant(this.#folder === null, 'a mending child is confined once in its life')
    this.#core = loadCore() // Before the sandbox, which does not have its file.
    const confined = confineChild(this.#confining, folder, user)
    this.#folder = user === null ? folder : '/'
    return { step: 'confine', ...confined }
  }

  #listDropped({ indexes, memoryBytesMax }: MenderQuestionOf<'listDropped'>): MenderAnswerOf<'listDropped'>['listed'] {
    return listDropped(this.#path(recoveredName), this.#path(droppedName), {
      indexes,
      memoryBytesMax,
      core: this.#core,
    })
  }

  #open(): MenderAnswerOf<'open'>['opened'] {
    const path = this.#path(recoveredName)
    this.#wal = usesWal(path)
    return tryDone(() => {
      this.#db = openCopy(path)
    })
  }

  #rewrite({ emptied, emptiedTexts }: MenderQuestionOf<'rewrite'>): MenderAnswerOf<'rewrite'>['rewritten'] {
    const into = this.#path(rewrittenName)
    return tryDone(() => {
      const db = this.#opened()
      this.#db = null
      rewriteInto(db, this.#path(recoveredName), into, { emptied, emptiedTexts })
      this.#db = openCopy(into)
    })
  }

  #close(): MenderAnswerOf<'close'>['closed'] {
    return tryDone(() => {
      const db = this.#opened()
      this.#db = null
      closeCopy(db, this.#wal)
    })
  }

  #path(name: string): string {
    invariant(this.#folder !== null, 'a mending child was asked before it was confined')
    return join(this.#folder, name)
  }

  #opened(): Database.Database {
    invariant(this.#db !== null, 'a mending child opens the copy before it changes it')
    return this.#db
  }
}
