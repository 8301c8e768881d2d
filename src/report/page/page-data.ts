/**
 * What the page shows of a run, collected in one pass over its results. Each part has a bound. So a run over ten
 * thousand tenants makes a page that opens quickly, and memory does not grow with the number of tenants.
 */
import type { TenantId } from '../../model/brand.ts'
import type { Result } from '../../model/result/report.ts'
import { planFirst } from '../remedy/describe-healing.ts'
import type { ReportFrame, StoredReport } from '../stored-report.ts'
import { legibleName } from '../text/legible.ts'
import { isPaused, rankOfResult, verdictWord } from '../text/result-words.ts'
import { Times } from './pictures/times.ts'

/** Most of each that a page has. */
export const pageBounds = { problems: 100, rows: 1000, histories: 50, checksOfHistory: 20 } as const

/** What a square of the fleet shows, the worst first. */
export const cellStates = ['paused', 'damaged', 'failed', 'inconclusive', 'notCovered', 'sound'] as const
export type CellState = (typeof cellStates)[number]

/** One line of the table of tenants. */
export interface TenantRow {
  readonly tenant: TenantId | null
  readonly path: string
  readonly word: string
  readonly state: CellState
  readonly damage: Result['damage']
  readonly pauseMs: number | null
  readonly checkMs: number | null
}

/** One earlier check or change of a tenant, as the ledger has it. */
export interface HistoryLine {
  readonly at: number
  readonly run: string
  readonly what: string
  readonly isSound: boolean
  readonly pauseMs: number | null
}

export interface PageData {
  readonly frame: ReportFrame
  readonly counts: Readonly<Record<CellState, number>>
  /** One for each result, in the order of the run. */
  readonly cells: readonly CellState[]
  /** Results that are not sound, the gravest first. */
  readonly problems: readonly Result[]
  readonly problemsTotal: number
  /** The gravest first. */
  readonly rows: readonly TenantRow[]
  readonly rowsTotal: number
  readonly pauses: Times
  readonly checks: Times
  /** Tenants that may be paused; each once. */
  readonly paused: readonly string[]
  /** Notices of sound results, as many as the page shows. */
  readonly notices: readonly Result[]
}

/** What a page shows beside the report of the run. */
export interface PageContext {
  /** null for bare files: no service quiesced them, and the report of their run is not kept. */
  readonly service: string | null
  /** The configuration that commands must name; null if they find it by themselves. */
  readonly config: string | null
  /** Earlier checks by tenant, the newest first. */
  readonly histories: ReadonlyMap<string, readonly HistoryLine[]>
  /** Why there are no histories; null if there are. */
  readonly noHistory: string | null
}

const noticesMax = 50

/** @throws {Failure} REPORT_BROKEN */
export function collectPage({ frame, results }: StoredReport): PageData {
  const cells: CellState[] = []
  const problems = new GravestItems<Result>(pageBounds.problems, rankOfResult)
  const rows = new GravestItems<TenantRow>(pageBounds.rows, ({ state }) => cellStates.indexOf(state))
  const [pauses, checks] = [new Times(), new Times()]
  const paused = new Set<string>()
  const notices: Result[] = []
  for (const result of results()) {
    const { tenant, path, damage, verdict, timings, findings } = result
    const state = stateOf(result)
    const { pauseMs, checkMs } = timings
    cells.push(state)
    rows.add({ tenant, path, word: verdictWord(result), state, damage, pauseMs, checkMs })
    if (verdict !== 'sound') problems.add(result)
    else if (findings.length > 0 && notices.length < noticesMax) notices.push(result)
    if (isPaused(result)) paused.add(legibleName(tenant ?? path))
    pauses.add(pauseMs, tenant ?? path)
    checks.add(checkMs, tenant ?? path)
  }
  return {
    frame,
    counts: countsOf(cells, frame.summary.notCovered),
    cells,
    problems: frame.healing === undefined ? problems.all() : planFirst(problems.all(), frame.healing),
    problemsTotal: problems.total,
    rows: rows.all(),
    rowsTotal: rows.total,
    pauses,
    checks,
    paused: [...paused],
    notices,
  }
}

const stateOf = (result: Result): CellState => (isPaused(result) ? 'paused' : result.verdict)

function countsOf(cells: readonly CellState[], notCovered: number): PageData['counts'] {
  const counts = Object.fromEntries(cellStates.map((state) => [state, 0])) as Record<CellState, number>
  for (const state of cells) counts[state]++
  return { ...counts, notCovered }
}

/** Keeps the gravest items, in their order, as many as fit. */
class GravestItems<Item> {
  readonly #max: number
  readonly #rankOf: (item: Item) => number
  /** By rank. */
  readonly #items = new Map<number, Item[]>()
  #total = 0

  constructor(max: number, rankOf: (item: Item) => number) {
    this.#max = max
    this.#rankOf = rankOf
  }

  get total(): number {
    return this.#total
  }

  add(item: Item): void {
    this.#total++
    const rank = this.#rankOf(item)
    const same = this.#items.get(rank)
    if (same === undefined) this.#items.set(rank, [item])
    else if (same.length < this.#max) same.push(item)
  }

  all(): readonly Item[] {
    return [...this.#items]
      .toSorted(([a], [b]) => a - b)
      .flatMap(([, items]) => items)
      .slice(0, this.#max)
  }
}
