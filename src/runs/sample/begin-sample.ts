/** One sample of a file: where the last one stopped, and what is remembered of this one. */

import type { Reading } from '../../model/result/reading.ts'
import type { ReportedSample, SampleRequest, SampleRound } from '../../model/result/sample.ts'
import type { RunContext } from '../begin/run-context.ts'
import type { UncheckedFile } from '../file-result.ts'
import { afterSample, nextPage } from './rounds.ts'

interface SampleTask {
  /** null at another depth. */
  readonly request: SampleRequest | null
  /** Both are null if no range was read to its end. */
  readonly end: (reading: Reading) => { readonly round: SampleRound | null; readonly reported: ReportedSample | null }
}

/** @throws {Failure} LEDGER_UNUSABLE */
export async function beginSample(
  { depth, earlierChecks: { file } }: UncheckedFile,
  { ledger, sampleShare }: Pick<RunContext, 'ledger' | 'sampleShare'>,
): Promise<SampleTask> {
  const nothing = { round: null, reported: null }
  if (depth !== 'sample' || sampleShare === null) return { request: null, end: () => nothing }
  const before = file === null || ledger === null ? null : await ledger.sampleRound(file)
  return {
    request: { from: nextPage(before), share: sampleShare },
    end: ({ sampled, coverage }) =>
      sampled === null || file === null ? nothing : afterSample(file, before, sampled, coverage.pages, Date.now()),
  }
}
