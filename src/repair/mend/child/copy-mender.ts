/** Child side: answers the questions of the protocol, one after the other. */
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import type { CompiledCore } from '../../../census/fast/compiled-core.ts'
import { recoveredName } from '../../../check/protocol.ts'
import { carriesChecksums, stampPages } from '../../../check/reader/pages/page-checksums.ts'
import { invariant } from '../../../model/bug.ts'
import type { Answer, FirstSteps, Question, StepQuestion } from '../../worker/steps.ts'
import { droppedName, rewrittenName } from '../protocol.ts'
import type { StepCompletion, MenderSteps } from '../protocol.ts'
import { listDropped } from './dropped-entries.ts'
import { closeCopy, openCopy, usesWal } from './open-copy.ts'
import { reindex } from './reindex.ts'
import { rewriteInto } from './rewrite.ts'
import { rebuildText } from './text-index.ts'
import { tryDone } from './try-done.ts'

type MenderQuestion = Exclude<Question<MenderSteps>, Question<FirstSteps>>

export class CopyMender {
  readonly #folder: string
  readonly #core: CompiledCore | null
  #db: Database.Database | null = null
  /** The journal mode that the copy had, and that the result gets. */
  #wal = false
  /** True if the result gets page checksums of cksumvfs, because the copy had them. */
  #stamped = false
  #result = ''

  /** @param folder of the sandbox */
  constructor(folder: string, core: CompiledCore | null) {
    this.#folder = folder
    this.#core = core
  }

  answer(question: MenderQuestion): Answer<MenderSteps> {
    switch (question.step) {
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

  #listDropped({ indexes, memoryBytesMax }: StepQuestion<MenderSteps, 'listDropped'>): ReturnType<typeof listDropped> {
    return listDropped(this.#path(recoveredName), this.#path(droppedName), {
      indexes,
      memoryBytesMax,
      core: this.#core,
    })
  }

  #open(): StepCompletion {
    const path = this.#path(recoveredName)
    this.#wal = usesWal(path)
    this.#stamped = carriesChecksums(path)
    this.#result = path
    return tryDone(() => {
      this.#db = openCopy(path)
    })
  }

  #rewrite({ emptied, emptiedTexts }: StepQuestion<MenderSteps, 'rewrite'>): StepCompletion {
    const into = this.#path(rewrittenName)
    return tryDone(() => {
      const db = this.#opened()
      this.#db = null
      rewriteInto(db, this.#path(recoveredName), into, { emptied, emptiedTexts })
      this.#db = openCopy(into)
      this.#result = into
    })
  }

  #close(): StepCompletion {
    return tryDone(() => {
      const db = this.#opened()
      this.#db = null
      closeCopy(db, this.#wal)
      if (this.#stamped) stampPages(this.#result, null)
    })
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }

  #opened(): Database.Database {
    invariant(this.#db !== null, 'a mending child opens the copy before it changes it')
    return this.#db
  }
}
