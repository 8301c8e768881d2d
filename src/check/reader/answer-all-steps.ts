/** Child side: the child's driver of the check steps. It answers them itself, until an answer reports something. */
import { runCheckSteps } from '../check-steps.ts'
import type { AnswerOf, MissingAnswer, QuestionOf, Reader, ReaderAnswer, ReaderStep, SingleStep } from '../protocol.ts'
import { ReadingBuilder } from '../reading-builder.ts'

/**
 * A snapshot with a hot journal, or with commits in its WAL, gets no further than `inspect`. So if the child dies
 * later, a fresh one finds the files as they were.
 * @param answer answers one step; may throw
 * @returns the answers in their order; of a step that was asked several times, the last
 */
export async function answerAllSteps(
  answer: (question: SingleStep) => ReaderAnswer,
  { depth, engine, sample, key, map, digesting, showValues, bytesMax, memoryBytesMax }: QuestionOf<'allSteps'>,
): Promise<readonly ReaderAnswer[]> {
  const answers = new Map<ReaderStep, ReaderAnswer>()
  const withCensus = depth === 'full' && engine === 'census'
  let silent = true
  const self: Reader = {
    ask: <S extends ReaderStep>(question: QuestionOf<S>) => {
      if (!silent) return Promise.resolve(stopped)
      const given = answer(question as SingleStep)
      answers.set(given.step, given)
      silent = !reportsSomething(given, bytesMax, withCensus)
      return Promise.resolve(given as unknown as AnswerOf<S>)
    },
  }
  // The parent makes the reading from the answers. This one only carries the steps on, and is dropped.
  const dropped = new ReadingBuilder(
    { depth, engine, sample, map, digesting, showValues, memoryBytesMax, timeoutMs: Infinity, onProgress: () => {} },
    key,
  )
  await runCheckSteps(dropped, { pages: self, sqlite: self, helpers: [] })
  return [...answers.values()]
}

/** Ends the steps: without an answer they ask no further. */
const stopped: MissingAnswer = { step: 'not-answered', how: 'failed', detail: 'an answer reported something' }

/** True if the answer has more to say than that everything is all right. */
function reportsSomething(answer: ReaderAnswer, bytesMax: number, withCensus: boolean): boolean {
  switch (answer.step) {
    case 'inspect': {
      const { file, findings, skipped, superJournal, hotJournal, walCommits } = answer
      if (findings.length > 0 || skipped.length > 0 || superJournal !== null || hotJournal || walCommits) return true
      return file.headerProblem !== null || file.notUnderstood !== null || file.fileBytes > bytesMax
    }
    case 'checksums':
      return answer.wrongTotal > 0
    case 'recover':
      return !answer.recovered || answer.facts.length > 0
    case 'account':
      if (answer.kind === 'going-on') return false
      return answer.kind === 'not-possible' || answer.pagesUnread > 0 || answer.findings.length > 0
    case 'schema':
      if (!answer.opened || answer.facts.length > 0) return true
      return withCensus && (answer.plan === null || answer.uncounted.length > 0)
    case 'judgeSample':
      return answer.findings.length > 0 || answer.unread !== null
    case 'plan':
      return answer.kind !== 'ready'
    case 'compare':
      return answer.findings.length > 0 || answer.skipped.length > 0 || answer.uncounted.length > 0
    case 'integrity':
    case 'compareBySqlite':
      return !answer.complete || answer.facts.length > 0
    case 'foreignKeys':
    case 'countRows':
      return answer.facts.length > 0
    default:
      return false
  }
}
