/** What the progress line says: the run on one line, and a line for each check that takes longer. */
import type { CheckProgress, RunProgress } from '../../runs/progress-tracker.ts'
import { count, groupDigits } from '../../text/count.ts'
import { cutEnd, cutMiddle, displayWidth } from '../../text/layout.ts'
import { printable } from '../../text/printable.ts'
import { humanMs } from '../../text/units.ts'
import { Rate, timeLeft } from './rate.ts'

/** A shorter check has no line of its own: lines that come and go are unreadable. */
const longAfterMs = 500
/** In its first second a run has no reliable rate. */
const rateAfterMs = 1_000
const checksShownMax = 16
const namesMax = 3
/** Columns that a name has at least. */
const nameWidthMin = 8

interface ShownCheck {
  readonly sinceMs: number
  /** null until a page is done. */
  rate: Rate | null
}

export class ProgressText {
  readonly #startedAtMs: number
  /** The checks that run now. */
  #shown = new Map<CheckProgress, ShownCheck>()

  /** @param startedAtMs on the monotonic clock, like all times here */
  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs
  }

  /** Lines of at most `width` columns. */
  lines(progress: RunProgress, nowMs: number, width: number): readonly string[] {
    this.#update(progress.checking, nowMs)
    const long = progress.checking.filter(
      (checking) => nowMs - (this.#shown.get(checking)?.sinceMs ?? nowMs) >= longAfterMs && checking.pages !== null,
    )
    const [only] = long
    // A single file needs no line about the run.
    if (only && progress.total === 1) return [this.#describe(only, width, 'checking ')]
    const shown = long.slice(0, checksShownMax)
    const others = { ...progress, checking: progress.checking.filter((checking) => !shown.includes(checking)) }
    return [
      cutEnd(describeRun(others, nowMs - this.#startedAtMs, nowMs), width),
      ...shown.map((checking) => this.#describe(checking, width, '  ')),
    ]
  }

  #update(now: readonly CheckProgress[], nowMs: number): void {
    this.#shown = new Map(
      now.map((checking) => [checking, this.#shown.get(checking) ?? { sinceMs: nowMs, rate: null }]),
    )
    for (const [{ pages }, known] of this.#shown) {
      if (pages === null) continue
      known.rate ??= new Rate(pages.pagesDone, nowMs)
      known.rate.observe(pages.pagesDone, nowMs)
    }
  }

  /** `app.db  30 %  41200 of 136865 pages  212 MB/s  7 s left`; a long name is cut to fit. */
  #describe(checking: CheckProgress, width: number, before: string): string {
    const { name, pages } = checking
    const words = pages === null ? [] : wordsOf(pages, this.#shown.get(checking)?.rate ?? null)
    const rest = words.map((word) => `  ${word}`).join('')
    const nameWidth = Math.max(nameWidthMin, width - before.length - displayWidth(rest))
    return cutEnd(`${before}${cutMiddle(printable(name), nameWidth)}${rest}`, width)
  }
}

function wordsOf(
  { pagesDone, pages, pageSize }: NonNullable<CheckProgress['pages']>,
  measured: Rate | null,
): readonly string[] {
  // SQLite's own check may still run; it counts no pages.
  if (pagesDone >= pages) return [`all ${count(pages, 'page')}, finishing`]
  const rate = measured?.rate ?? null
  const leftMs = measured?.leftMs(pages) ?? null
  return [
    `${Math.floor((pagesDone / pages) * 100)} %`,
    `${groupDigits(pagesDone)} of ${count(pages, 'page')}`,
    ...(rate === null ? [] : [megabytesASecond(rate * pageSize * 1000)]),
    ...(leftMs === null ? [] : [timeLeft(leftMs)]),
  ]
}

const megabytesASecond = (bytes: number): string =>
  `${bytes >= 10e6 ? Math.round(bytes / 1e6) : (bytes / 1e6).toFixed(1)} MB/s`

/**
 * `412 of 1000, 38 a second, 15 s left; pausing acme for 40 ms; holding dune; checking bolt, core`
 * @param nowMs on the monotonic clock
 */
export function describeRun(progress: RunProgress, elapsedMs: number, nowMs: number): string {
  const { done, total, paused = [], holding, checking, working } = progress
  const rate = elapsedMs < rateAfterMs || done === 0 ? null : done / elapsedMs
  const left = rate === null || done >= total ? '' : `, ${timeLeft((total - done) / rate)}`
  const speed =
    rate === null ? '' : `, ${rate * 1000 >= 10 ? Math.round(rate * 1000) : (rate * 1000).toFixed(1)} a second`
  const pauses = paused.map(({ name, sinceMs }) => `${name} for ${humanMs(Math.max(0, Math.round(nowMs - sinceMs)))}`)
  return `${done} of ${total}${speed}${left}${clauseOf('pausing', pauses)}${clauseOf('holding', holding)}${clauseOf(
    'checking',
    checking.map(({ name }) => name),
  )}${working === undefined ? '' : `; ${printable(working)}`}`
}

const clauseOf = (verb: string, names: readonly string[]): string => {
  if (names.length === 0) return ''
  const more = names.length > namesMax ? ` and ${names.length - namesMax} more` : ''
  return `; ${verb} ${names
    .slice(0, namesMax)
    .map((name) => printable(name))
    .join(', ')}${more}`
}
