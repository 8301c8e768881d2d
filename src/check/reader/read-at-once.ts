/** Child side: the steps of a reading in their order, for as long as nothing is found. */
import { virtualTables } from '../protocol.ts'
import type { ReaderAnswer, AnswerOf, ReaderQuestion, QuestionOf, ReaderStep } from '../protocol.ts'

/**
 * Reads as read-snapshot.ts does, and ends with the first answer that says anything. A snapshot with a journal or
 * commits in its WAL ends with the look: so nothing that a look could see has changed when a fresh child must begin
 * anew.
 */
export function* readInOneGo(
  answer: (question: ReaderQuestion) => ReaderAnswer,
  { depth, engine, key, map, digesting, showValues, bytesMax, memoryBytesMax }: QuestionOf<'atOnce'>,
): Generator<ReaderAnswer> {
  const ask = <S extends ReaderStep>(question: QuestionOf<S>): AnswerOf<S> =>
    answer(question as ReaderQuestion) as unknown as AnswerOf<S>
  const look = ask<'look'>({ step: 'look' })
  yield look
  const { file } = look
  if (
    look.findings.length > 0 ||
    look.skipped.length > 0 ||
    look.superJournal !== null ||
    look.hotJournal ||
    look.walCommits
  )
    return
  if (file.headerTrouble !== null || file.notUnderstood !== null || file.fileBytes > bytesMax) return
  const settled = ask<'settle'>({ step: 'settle', keep: false })
  yield settled
  if (!settled.settled || settled.facts.length > 0) return
  const account = ask<'account'>({
    step: 'account',
    pagesMax: Infinity,
    map,
    digest: digesting.kind === 'pages',
    memoryBytesMax,
  })
  yield account
  if (account.kind !== 'ended' || account.pagesUnread > 0 || account.findings.length > 0) return
  const schema = ask<'schema'>({ step: 'schema' })
  yield schema
  const { opened, objects, plan } = schema
  if (!opened || schema.facts.length > 0) return
  const counts = depth === 'full' && engine === 'census'
  if (counts) {
    if (plan === null || schema.uncounted.length > 0) return
    const ready = ask<'plan'>({ step: 'plan', plan, key, memoryBytesMax })
    yield ready
    if (ready.kind !== 'ready') return
    yield ask<'scan'>({ step: 'scan', first: 1, last: plan.pages })
    const compared = ask<'compare'>({ step: 'compare', plan, key, map, showValues, tallies: [] })
    yield compared
    if (compared.findings.length > 0 || compared.skipped.length > 0 || compared.uncounted.length > 0) return
  }
  const word = ask<'integrity'>({ step: 'integrity', depth: counts ? 'quick' : depth, objects, apart: false })
  yield word
  if (!word.whole || word.facts.length > 0) return
  const virtual = counts ? virtualTables(schema) : []
  if (virtual.length > 0) {
    const compared = ask<'compareBySqlite'>({ step: 'compareBySqlite', tables: virtual })
    yield compared
    if (!compared.whole || compared.facts.length > 0) return
  }
  if (depth === 'full') {
    const orphans = ask<'foreignKeys'>({ step: 'foreignKeys', objects })
    yield orphans
    if (orphans.facts.length > 0) return
  }
  if (depth === 'full' && !counts) {
    const counted = ask<'count'>({ step: 'count', objects })
    yield counted
    if (counted.facts.length > 0) return
  }
  // No message names a page: nobody will ask for owners.
  yield ask<'finish'>({ step: 'finish', pages: [], digesting })
}
