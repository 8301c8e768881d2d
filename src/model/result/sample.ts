/**
 * A check of a part of a file, for files that are too large for one night (`--depth sample=10%`). Each night the next
 * range of pages is read. A sample never counts as a full check.
 */

import type { KnownFile } from './last-good.ts'

/** What is asked for. */
export interface SampleRequest {
  /** The first page of the range; the file may have become shorter since. */
  readonly from: number
  /** Of all pages; greater than 0, at most 1. */
  readonly share: number
}

/** The range that was read, with both ends included. */
export interface SampledRange {
  readonly first: number
  readonly last: number
}

/** What the ledger keeps of the samples of one file. Times are ms since 1970. */
export interface SampleRound extends KnownFile {
  /** The page with which the next sample begins. */
  readonly next: number
  /** When the present round began at page 1. */
  readonly began: number
  /** When the last complete round began: since then each page that the file had was read once. null: none yet. */
  readonly wholeSince: number | null
}

/** As reports have it. */
export interface ReportedSample extends SampledRange {
  /** Of the file. */
  readonly pages: number
  /** When the present round began, at page 1, as in ISO 8601; up to `last` its pages were read since then. */
  readonly since: string
  /** Since when each page of the file was read in samples; null if no round is complete. */
  readonly wholeSince: string | null
}
