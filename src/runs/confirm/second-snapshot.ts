/**
 * Damage in a pinned snapshot is confirmed by a second one, with a pin of its own. A program that ignores the locks of
 * SQLite may have written into the first copy. It will not do the same again at the same place. Only what both
 * snapshots show is damage; what one of them shows is inconclusive. It costs nothing where no damage was found.
 */

import { theFile, viewSchema } from '../../diagnosis/messages/schema-view.ts'
import { classOf } from '../../diagnosis/weigh/weigh.ts'
import { failureKinds } from '../../model/failure.ts'
import { damageClasses, type DamageClass, type Finding } from '../../model/result/finding.ts'
import type { Reading } from '../../model/result/reading.ts'
import type { Result, SecondSnapshot } from '../../model/result/report.ts'
import { count } from '../../text/count.ts'
import { targetWords } from '../../text/shell-words.ts'
import type { Examination } from '../examine.ts'
import { asInconclusive } from '../weigh-evidence.ts'

/** So many findings that only one snapshot shows are listed. */
const listedMax = 20

/**
 * @param first an examination of a pinned snapshot that found damage of the file
 * @param second of a snapshot that was pinned later, and not before the first was checked
 */
export function weighSecondSnapshot(first: Examination, second: Examination): Examination {
  const { result } = first
  const shown = damageOf(result)
  const shownAgain = damageOf(second.result)
  const confirmed = shown.filter((finding) => shownAgain.some((other) => isSame(finding, other)))
  const unconfirmed = [
    ...shown.filter((finding) => !confirmed.includes(finding)).map((finding) => ({ in: 'first', finding }) as const),
    ...shownAgain
      .filter((finding) => !shown.some((other) => isSame(finding, other)))
      .map((finding) => ({ in: 'second', finding }) as const),
  ]
  const { evidence, verdict, failure } = second.result
  const secondSnapshot: SecondSnapshot = {
    verdict,
    evidence,
    confirmed: confirmed.length,
    unconfirmed: unconfirmed.slice(0, listedMax).map((one) => ({ ...one, finding: withoutRows(one.finding) })),
    unconfirmedTotal: unconfirmed.length,
    ...(failure === undefined ? {} : { failure }),
  }
  const compared = { ...weigh(first, confirmed, unconfirmed.length, second.result), secondSnapshot }
  const stops = second.failure !== null && failureKinds[second.failure.code].stopsRun
  // A failure that ends the run outweighs what was found: the copies themselves are in doubt.
  return {
    ...first,
    result: stops && failure !== undefined ? { ...compared, failure } : compared,
    failure: stops ? second.failure : first.failure,
    // Nothing is rehearsed that is not confirmed wholly.
    read: confirmed.length === shown.length ? first.read : null,
  }
}

const damageOf = ({ findings }: Result): readonly Finding[] => findings.filter(({ severity }) => severity !== 'notice')

/** The result of the first snapshot, as far as the second one confirms it. */
function weigh(
  { result, read }: Examination,
  confirmed: readonly Finding[],
  unconfirmed: number,
  second: Result,
): Result {
  const shown = damageOf(result).length
  if (confirmed.length > 0 && confirmed.length === shown) return result
  const again = `holdfast check ${result.tenant === null ? '--live ' : ''}${targetWords(result.tenant, result.path)}`
  if (confirmed.length === 0) {
    const { failure } = second
    const why =
      failure === undefined
        ? 'a second snapshot, pinned later, did not show it'
        : `no second snapshot could confirm it: ${failure.code}: ${failure.message}`
    const unsure = asInconclusive(result, `damage was found, but ${why}`, again)
    const notice = snapshotsDiffer(failure === undefined ? second.verdict : null)
    return { ...unsure, findings: [notice, ...result.findings], findingsTotal: result.findingsTotal + 1 }
  }
  const findings = [...confirmed, ...result.findings.filter(({ severity }) => severity === 'notice')]
  return {
    ...result,
    findings,
    findingsTotal: result.findingsTotal - shown + confirmed.length,
    damage: read === null ? result.damage : worstOf(confirmed, read.reading),
    causes: [],
    remedy: {
      do: 'ask',
      indexes: [],
      rehearsed: false,
      why:
        `two snapshots agree about ${count(confirmed.length, 'finding')} only, and ` +
        `${count(unconfirmed, 'finding is', 'findings are')} in one of them alone: stop the program and check again`,
      command: again,
    },
  }
}

const worstOf = (findings: readonly Finding[], reading: Reading): DamageClass => {
  const schema = viewSchema(reading)
  const ranks = findings.map((finding) => damageClasses.indexOf(classOf(finding, schema)))
  return damageClasses[Math.max(0, ...ranks)] ?? 'none'
}

/** The same rule at the same place. Rows must overlap: other rows of the same index are another finding. */
const isSame = (one: Finding, other: Finding): boolean =>
  one.rule === other.rule &&
  one.page === other.page &&
  one.object.kind === other.object.kind &&
  one.object.name === other.object.name &&
  one.object.table === other.object.table &&
  sharesRow(one.rows ?? [], other.rows ?? [])

function sharesRow(one: NonNullable<Finding['rows']>, other: NonNullable<Finding['rows']>): boolean {
  if (one.length === 0 || other.length === 0) return one.length === other.length
  const keys = new Set(one.map((row) => JSON.stringify(row)))
  return other.some((row) => keys.has(JSON.stringify(row)))
}

/** The place is enough for a person who compares both. */
function withoutRows({ rule, severity, source, object, page, total, text }: Finding): Finding {
  return {
    rule,
    severity,
    source,
    object,
    ...(page === undefined ? {} : { page }),
    ...(total === undefined ? {} : { total }),
    text,
  }
}

const snapshotsDiffer = (second: Result['verdict'] | null): Finding => ({
  rule: 'snapshots-differ',
  severity: 'notice',
  source: 'census',
  object: theFile,
  text:
    'the damage below is in one snapshot only' +
    (second === null ? ', because no second one was made' : ` (the second one: ${second})`) +
    '. A program that ignores the locks of SQLite may have written into the copy',
})
