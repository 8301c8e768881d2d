/**
 * The agent's side of a comparison by key: holds and checks one tenant as any run does, and then answers questions
 * about the snapshots. The tenant serves again before the first answer. It works in the process of the chunk, and
 * knows nothing of the database.
 */

import { ComparedSide } from '../../../check/compare/compared-side.ts'
import { monotonicMs } from '../../../host/clock.ts'
import type { TenantId } from '../../../model/brand.ts'
import { Failure } from '../../../model/failure.ts'
import type { Result } from '../../../model/result/report.ts'
import type { NonEmpty } from '../../../model/result/verdict.ts'
import { acquireByHold, type AcquiredFile } from '../../../runs/acquire-file.ts'
import { readRegistry, targetsOf } from '../../../runs/begin/registry.ts'
import type { ServiceRun } from '../../../runs/begin/service-run.ts'
import type { Target } from '../../../runs/begin/target.ts'
import { storedPath } from '../../results/stored-path.ts'
import { answerOf, isAboutRows, describeFile } from './row-answers.ts'
import type { RowQuestion, SentAnswer } from './row-questions.ts'

export interface RowsTerms {
  readonly tenant: TenantId
  readonly onResult: (result: Result) => void
  /** null: nothing more is asked. */
  readonly nextQuestion: () => Promise<RowQuestion | null>
  readonly answer: (answer: object) => void
}

/** From the first answer to the last. In ms. */
const answeringMsMax = 60 * 60_000

/** @throws {Failure} TENANT_UNKNOWN, INTERRUPTED, and what stops a run */
export async function serveRows(run: ServiceRun, terms: RowsTerms): Promise<void> {
  const { context, ledger, signal } = run
  const first = await nextBut(terms, ['ping'])
  // No command waits for the answer any more: no tenant is paused for it.
  if (first === null) return
  const { tenants } = await readRegistry(run, await ledger.lastResults())
  const listed = tenants.find(({ id }) => id === terms.tenant)
  const [main, ...more] = listed === undefined ? [] : targetsOf([listed])
  if (main === undefined)
    throw new Failure('TENANT_UNKNOWN', `the service lists no tenant ${JSON.stringify(terms.tenant)} with files`)
  const targets: NonEmpty<Target> = [main, ...more]
  await using files = new AsyncDisposableStack()
  const acquired = await acquireByHold(targets, context, 'full', signal)
  for (const file of acquired) files.use(file)
  const checked: FileWithResult[] = []
  for (const file of acquired) {
    const { result } = await file.check(() => undefined)
    await ledger.append({ kind: 'checked', tenant: terms.tenant, result })
    terms.onResult(result)
    checked.push({ file, result })
  }
  await answerAll(run, checked, first, terms)
}

interface FileWithResult {
  readonly file: AcquiredFile
  readonly result: Result
}

/** @returns null if nothing more is asked */
async function nextBut(
  { nextQuestion }: RowsTerms,
  without: readonly RowQuestion['step'][],
): Promise<RowQuestion | null> {
  for (;;) {
    const question = await nextQuestion()
    if (question === null || question.step === 'end') return null
    if (!without.includes(question.step)) return question
  }
}

/** Answers until nothing more is asked. One file at a time has a reader. */
async function answerAll(
  run: ServiceRun,
  files: readonly FileWithResult[],
  first: RowQuestion,
  terms: RowsTerms,
): Promise<void> {
  const endsAtMs = monotonicMs() + answeringMsMax
  for (let question: RowQuestion | null = first; question !== null;) {
    if (question.step === 'open') question = await answerAbout(run, files[question.file], endsAtMs, terms)
    else {
      terms.answer(question.step === 'files' ? listOf(files) : { failed: 'no file is open' })
      question = await nextBut(terms, ['ping'])
    }
  }
}

const listOf = (files: readonly FileWithResult[]): SentAnswer<'files'> => ({
  files: files.map(({ result }) => ({ path: storedPath(result.path) })),
})

/** @returns the first question that is not about rows of this file */
async function answerAbout(
  { context, settings, signal }: ServiceRun,
  checked: FileWithResult | undefined,
  endsAtMs: number,
  terms: RowsTerms,
): Promise<RowQuestion | null> {
  const snapshot = checked?.file.snapshot ?? null
  if (checked === undefined || snapshot === null) {
    terms.answer({ encoding: 'UTF-8', why: 'there is no snapshot of it', tables: [] } satisfies SentAnswer<'open'>)
    return nextBut(terms, ['ping'])
  }
  return context.checker.withReader(snapshot, signal, async (reader) => {
    const side = new ComparedSide(reader, endsAtMs)
    terms.answer(await describeFile(side, checked.result))
    for (;;) {
      const question = await nextBut(terms, ['ping'])
      if (question === null || !isAboutRows(question)) return question
      terms.answer(await answerOf(side, question, settings.check.memoryBytes))
    }
  })
}
