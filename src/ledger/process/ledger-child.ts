/** The process that has the ledger open: SQLite runs here, not beside the leases (hold/README.md F10). */

import { answerIsolated } from '../../host/process/child-side.ts'
import { invariant, unreachable } from '../../model/bug.ts'
import { ledgerFile } from '../folder.ts'
import type { AnswerBody, LedgerAnswer, LedgerQuestion } from '../protocol.ts'
import * as answers from './answers.ts'
import { compact } from './compaction/compact.ts'
import { fleetRunsAfter } from './fleet-runs.ts'
import { lastGoodOf } from './last-good.ts'
import { lastResultsAfter } from './last-results.ts'
import { lastRegistry } from './later-tables/last-registry.ts'
import { pauseTotals } from './later-tables/pause-totals.ts'
import { sampleRoundOf } from './later-tables/sample-rounds.ts'
import { openHolds, otherHolds } from './open-holds.ts'
import { schemaOutliers } from './schema-outliers.ts'
import { LedgerDamageError, LedgerUnusable, unusableBySystem } from './sqlite-errors.ts'
import { Store } from './store.ts'

/** Notices beyond so many are only counted. */
const noticesMax = 20

let store: Store | null = null
let notices: string[] = []
let unlisted = 0

answerIsolated<LedgerQuestion, LedgerAnswer>((question) => {
  const answered = answer(question)
  const all = unlisted === 0 ? notices : [...notices, `and ${unlisted} more notices of the ledger`]
  notices = []
  unlisted = 0
  return { ...answered, notices: all, holdsLost: store?.holdsLost ?? false }
})

function addNotice(notice: string): void {
  if (notices.length < noticesMax) notices.push(notice)
  else unlisted += 1
}

function answer(question: LedgerQuestion): AnswerBody {
  try {
    return answerOrThrow(question)
  } catch (thrown) {
    const error = unusableBySystem(thrown, 'cannot use the ledger')
    if (error instanceof LedgerUnusable) return { kind: 'unusable', message: error.message, hint: error.hint }
    if (error instanceof LedgerDamageError)
      return {
        kind: 'unusable',
        message: error.message,
        hint: 'the next run sets the damaged ledger aside and begins a new one',
      }
    throw error
  }
}

function answerOrThrow(question: LedgerQuestion): AnswerBody {
  if (question.ask === 'open') {
    store = new Store(ledgerFile(question.dir), question.mode, question.way, addNotice)
    return { kind: 'done' }
  }
  invariant(store !== null, 'the ledger is asked after it was opened')
  return answerFrom(store, question)
}

function answerFrom(store: Store, question: Exclude<LedgerQuestion, { ask: 'open' }>): AnswerBody {
  switch (question.ask) {
    case 'append':
      store.append(question.lines, question.lastGood, question.rounds)
      return { kind: 'done' }
    case 'open-holds':
      return { kind: 'open-holds', holds: store.ask(openHolds) }
    case 'other-holds':
      return { kind: 'other-holds', holds: store.ask(otherHolds) }
    case 'last-good':
      return {
        kind: 'last-good',
        lastGood: store.ask((database, way, addNotice) => lastGoodOf(database, way, question.files, addNotice)),
      }
    case 'last-results':
      return {
        kind: 'last-results',
        ...store.ask((database, way, addNotice) =>
          lastResultsAfter(database, way, question.after, question.quiet, addNotice),
        ),
      }
    case 'sample-round':
      return { kind: 'sample-round', round: store.ask((database, way) => sampleRoundOf(database, way, question.file)) }
    case 'schema-outliers':
      return { kind: 'schema-outliers', found: store.ask(schemaOutliers) }
    case 'history':
      return {
        kind: 'history',
        lines: store.ask((database, way, addNotice) =>
          answers.history(database, way, question.tenant, question.limit, addNotice),
        ),
      }
    case 'checks':
      return {
        kind: 'checks',
        newest: store.ask((database, way, addNotice) =>
          answers.checks(database, way, question.tenant, question.limit, addNotice),
        ),
      }
    case 'run-lines':
      return {
        kind: 'run-lines',
        newest: store.ask((database, _way, addNotice) =>
          answers.runLines(database, question.run, question.limit, addNotice),
        ),
      }
    case 'newest-checks':
      return {
        kind: 'newest-checks',
        checks: store.ask((database, way, addNotice) => answers.newestChecks(database, way, question.files, addNotice)),
      }
    case 'last-runs':
      return {
        kind: 'last-runs',
        runs: store.ask((database, way, addNotice) => answers.lastRuns(database, way, question.limit, addNotice)),
      }
    case 'fleet-runs':
      return {
        kind: 'fleet-runs',
        ...store.ask((database, way, addNotice) => fleetRunsAfter(database, way, question.after, addNotice)),
      }
    case 'compact':
      return { kind: 'compacted', more: store.ask((database) => compact(database, question.workMs, Date.now())) }
    case 'last-sweep':
      return { kind: 'last-sweep', sweep: store.ask(answers.lastSweep) }
    case 'pause-totals':
      return { kind: 'pause-totals', totals: store.ask(pauseTotals) }
    case 'last-registry':
      return { kind: 'last-registry', registry: store.ask(lastRegistry) }
    case 'close':
      store.close()
      return { kind: 'done' }
    default:
      return unreachable(question)
  }
}
