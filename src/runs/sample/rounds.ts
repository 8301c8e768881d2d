/** The rounds of samples over one file: which pages come next, and since when they were all read. Pure. */

import type { KnownFile } from '../../model/result/last-good.ts'
import type { ReportedSample, SampledRange, SampleRound } from '../../model/result/sample.ts'

/** The page with which the next sample of a file begins. */
export const nextPage = (round: SampleRound | null): number => round?.next ?? 1

/**
 * The round after one more sample.
 * @param pages of the file @param at ms since 1970
 */
export function afterSample(
  file: KnownFile,
  before: SampleRound | null,
  { first, last }: SampledRange,
  pages: number,
  at: number,
): { readonly round: SampleRound; readonly reported: ReportedSample } {
  // A file that became shorter begins a new round, and the old one never came to its end.
  const began = before === null || first === 1 ? at : before.began
  const isWhole = last >= pages
  const wholeSince = isWhole ? began : (before?.wholeSince ?? null)
  const isoOf = (ms: number): string => new Date(ms).toISOString()
  return {
    round: { tenant: file.tenant, path: file.path, next: isWhole ? 1 : last + 1, began, wholeSince },
    reported: { first, last, pages, since: isoOf(began), wholeSince: wholeSince === null ? null : isoOf(wholeSince) },
  }
}
