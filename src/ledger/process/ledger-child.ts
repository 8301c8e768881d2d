/** The process that has the ledger open: SQLite runs here, not beside the leases (hold/README.md F10). */

import { answerIsolated } from '../../host/process/child-side.ts'
import { invariant, unreachable } from '../../model/bug.ts'
import { ledgerFile } from '../folder.ts'
import type { Answered, LedgerAnswer, LedgerQuestion } from '../protocol.ts'
import * as answers from './answers.ts'
import { lastGoodOf } from './last-good.ts'
import { lastResults } from './last-results.ts'
import { openHolds, otherHolds } from './open-holds.ts'
import { pauseTotals } from './pause-totals.ts'
import { LedgerDamaged, LedgerUnusable, unusableBySystem } from './sqlite-errors.ts'
import { Store } from './store.ts'

/** More garbled lines than this are counted, not named. */
const noticesMax = 20

let store: Store | null = null
let notices: string[] = []
let unsaid = 0

answerIsolated<LedgerQuestion, LedgerAnswer>((question) => {
  const answered = answer(question)
  const said = unsaid === 0 ? notices : [...notices, `and ${unsaid} more notices of the ledger`]
  notices = []
  unsaid = 0
  return { ...answered, notices: said, holdsLost: store?.holdsLost ?? false }
})

function say(notice: string): void {
  if (notices.length < noticesMax) notices.push(notice)
  else unsaid += 1
}

function answer(question: LedgerQuestion): Answered {
  try {
    return answerOrThrow(question)
  } catch (thrown) {
    const error = unusableBySystem(thrown, 'cannot use the ledger')
    if (error instanceof LedgerUnusable) return { kind: 'unusable', message: error.message, hint: error.hint }
    if (error instanceof LedgerDamaged)
      return {
        kind: 'unusable',
        message: error.message,
        hint: 'the next run sets the damaged ledger aside and begins a new one',
      }
    throw error
  }
}

function answerOrThrow(question: LedgerQuestion): Answered {
  if (question.ask === 'open') {
    store = new Store(ledgerFile(question.dir), question.mode, question.way, say)
    return { kind: 'done' }
  }
  invariant(store !== null, 'the ledger is asked after it was opened')
  return answerFrom(store, question)
}

function answerFrom(store: Store, question: Exclude<LedgerQuestion, { ask: 'open' }>): Answered {
  switch (question.ask) {
    case 'append':
      store.append(question.lines, question.lastGood)
      return { kind: 'done' }
    case 'open-holds':
      return { kind: 'open-holds', holds: store.ask(openHolds) }
    case 'other-holds':
      return { kind: 'other-holds', holds: store.ask(otherHolds) }
    case 'last-good':
      return {
        kind: 'last-good',
        lastGood: store.ask((database, way, say) => lastGoodOf(database, way, question.files, say)),
      }
    case 'last-results':
      return { kind: 'last-results', results: store.ask(lastResults) }
    case 'history':
      return {
        kind: 'history',
        lines: store.ask((database, way, say) => answers.history(database, way, question.tenant, question.limit, say)),
      }
    case 'checks':
      return {
        kind: 'checks',
        newest: store.ask((database, way, say) => answers.checks(database, way, question.tenant, question.limit, say)),
      }
    case 'newest-checks':
      return {
        kind: 'newest-checks',
        checks: store.ask((database, way, say) => answers.newestChecks(database, way, question.files, say)),
      }
    case 'last-runs':
      return {
        kind: 'last-runs',
        runs: store.ask((database, way, say) => answers.lastRuns(database, way, question.limit, say)),
      }
    case 'pause-totals':
      return { kind: 'pause-totals', totals: store.ask(pauseTotals) }
    case 'close':
      store.close()
      return { kind: 'done' }
    default:
      return unreachable(question)
  }
}
