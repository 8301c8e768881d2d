/** Remedies as one JSON document (remedy.schema.json), written result by result. */

import { accountedKinds, type LostRange, type SummedRows, type TableSummary } from '../../model/result/account.ts'
import type { RemedyOutcome, RemedyReport, RemedyResult, TableLoss } from '../../model/result/remedy.ts'
import { mapEach, jsonDocument } from '../json.ts'
import { keyDigest, keyRedactor } from '../redact.ts'

/** Replaces row keys by digests, in the losses and in the findings. The same key has the same digest everywhere. */
export function remedyRedactor(): (outcome: RemedyOutcome) => RemedyOutcome {
  const digest = keyDigest()
  const redact = keyRedactor(digest)
  const inTable = (loss: TableLoss): TableLoss => ({ ...loss, keys: loss.keys.map(digest) })
  // A sentence about damage may quote a key.
  const inSentence = (sentence: string): string => sentence.replaceAll(/\brows? \d[\d, ]*/g, 'row #')
  const inRows = ({ total, keys }: SummedRows): SummedRows => ({ total, keys: keys.map(digest) })
  const inRange = ({ after, before, pages }: LostRange): LostRange => ({
    after: after === null ? null : digest(after),
    before: before === null ? null : digest(before),
    pages,
  })
  const inAccount = (table: TableSummary): TableSummary => ({
    ...table,
    rows: Object.fromEntries(accountedKinds.map((kind) => [kind, inRows(table.rows[kind])])) as TableSummary['rows'],
    lostRanges: { ...table.lostRanges, first: table.lostRanges.first.map(inRange) },
  })
  return ({ result, check, account }) => ({
    result: {
      ...result,
      plan: { ...result.plan, why: inSentence(result.plan.why), losses: result.plan.losses.map(inTable) },
      failure: result.failure && { ...result.failure, message: inSentence(result.failure.message) },
    },
    check: check && redact(check),
    account: account && { ...account, tables: account.tables.map(inAccount) },
  })
}

/** The document in pieces. */
export function remedyJson(
  { schema, tool, run, summary, ...others }: Omit<RemedyReport, 'results'>,
  outcomes: Iterable<RemedyOutcome>,
): Iterable<string> {
  return jsonDocument(
    { schema, tool, run },
    'results',
    mapEach(outcomes, ({ result }) => inOrder(result)),
    { ...others, summary },
  )
}

const inOrder = ({
  tenant,
  path,
  before,
  plan,
  planned,
  rehearsal,
  applied,
  takenBack,
  account,
  failure,
}: RemedyResult): object => ({
  tenant,
  path,
  before,
  plan,
  ...(planned === undefined ? {} : { planned }),
  rehearsal,
  applied,
  ...(takenBack === undefined ? {} : { takenBack }),
  account,
  failure,
})
