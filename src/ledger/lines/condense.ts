/**
 * Shortens an event for the ledger, which gets ten thousand results a night for years. A sound result keeps who held
 * the tenant, which snapshot was read, and how long it took. The kept report of the run has the rest.
 */

import type { Event } from '../../model/event.ts'
import { noEvidence } from '../../model/result/evidence.ts'
import type { Evidence } from '../../model/result/evidence.ts'
import type { Finding } from '../../model/result/finding.ts'
import type { Result } from '../../model/result/report.ts'

/** At most so many of each kind are kept. Totals stay as they are. */
const kept = {
  noticesOfSound: 5,
  findings: 200,
  skippedOfSound: 5,
  skipped: 100,
  holders: 100,
  tables: 1000,
  words: 100,
  notCovered: 1000,
  whyLetters: 1000,
} as const

export function condense(event: Event): Event {
  switch (event.kind) {
    case 'checked':
      return {
        ...event,
        result: withoutMap(event.result.verdict === 'sound' ? condenseSound(event.result) : bound(event.result)),
      }
    case 'run-started':
      return { ...event, argv: limitWords(event.argv) }
    case 'run-finished':
      return event.notCovered === undefined
        ? event
        : { ...event, notCovered: event.notCovered.slice(0, kept.notCovered) }
    case 'registry-read':
      return event.source === 'live' ? event : { ...event, why: event.why.slice(0, kept.whyLetters) }
    case 'sweep-selected':
      return event.only === null ? event : { ...event, only: limitWords(event.only) }
    case 'hold-asked':
    case 'hold-quiesced':
    case 'hold-ended':
    case 'resume-failed':
    case 'remedy-planned':
    case 'change-begun':
    case 'change-ended':
      return event
  }
}

const limitWords = (words: readonly string[]): readonly string[] =>
  words.slice(0, kept.words).map((word) => word.slice(0, 1000))

/** A map is only for the person who asked for it. */
function withoutMap(result: Result): Result {
  return Object.fromEntries(Object.entries(result).filter(([key]) => key !== 'map')) as unknown as Result
}

function condenseSound(result: Result): Result {
  return {
    ...result,
    findings: result.findings.slice(0, kept.noticesOfSound).map(withoutValues),
    coverage: { ...result.coverage, skipped: result.coverage.skipped.slice(0, kept.skippedOfSound) },
    // The row of the last sound check has the newest digests, and each kept report has those of its run.
    content: { tables: [] },
    evidence: condenseEvidence(result.evidence),
  }
}

/** What the last proof saw is in the summary beside the event. */
const condenseEvidence = ({ level, quiesce, pin, snapshot, fileSystem, attempts }: Evidence): Evidence => ({
  ...noEvidence,
  level,
  quiesce,
  pin,
  fileSystem,
  attempts,
  snapshot: snapshot === null ? null : { ...snapshot, files: [] },
})

function bound(result: Result): Result {
  const { evidence, coverage } = result
  return {
    ...result,
    findings: result.findings.slice(0, kept.findings).map(withoutValues),
    coverage: { ...coverage, skipped: coverage.skipped.slice(0, kept.skipped) },
    content: { tables: result.content.tables.slice(0, kept.tables) },
    ...boundRecovery(result),
    evidence: {
      ...evidence,
      holders: evidence.holders.slice(0, kept.holders),
      unseen: evidence.unseen.slice(0, kept.holders),
    },
  }
}

function boundRecovery({ recovery }: Result): Pick<Result, 'recovery'> {
  if (!recovery?.without) return {}
  return {
    recovery: { ...recovery, without: { ...recovery.without, tables: recovery.without.tables.slice(0, kept.tables) } },
  }
}

/** One person asked once for the values of rows. Others read the ledger and the kept reports, for years. */
export function withoutValues(finding: Finding): Finding {
  if (finding.salvage === undefined) return finding
  const { columns, total } = finding.salvage
  return { ...finding, salvage: { columns, total } }
}
