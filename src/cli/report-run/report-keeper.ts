/** Keeps the report of a run beside the ledger. That it cannot be kept is said, and changes no verdict. */
import type { Settings } from '../../config/settings.ts'
import { withoutValues } from '../../ledger/lines/condense.ts'
import { keepPages, keepReport } from '../../ledger/reports/kept-reports.ts'
import type { RunId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { DamagedPage } from '../../model/result/page-map.ts'
import type { Result } from '../../model/result/report.ts'
import { pageToKeep } from '../../report/bundle/page-dump.ts'
import { storedLines } from '../../report/stored-report.ts'
import { printableSentence } from '../../text/printable.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { Spool } from './spool.ts'

/** The fields of a report that all kinds of reports share. */
interface KeptFrame {
  readonly schema: string
  readonly run: {
    readonly id: RunId | string
    readonly mode: string
    readonly startedAt: string
    readonly finishedAt: string
    readonly incident?: string | null
  }
  readonly summary: { readonly exitCode: number }
}

/** Of one run, in base64. */
const pageBytesMax = 16 * 1024 * 1024

export class ReportKeeper<Item extends object> implements Disposable {
  readonly #settings: Pick<Settings, 'ledger' | 'service'>
  readonly #say: Terminal['say']
  readonly #items: Spool<Item>
  readonly #asKept: (item: Item) => Item
  readonly #pages: Spool<DamagedPage>
  #pageBytes = 0

  /** @param asKept what is kept of an item */
  constructor(
    settings: Pick<Settings, 'ledger' | 'service'>,
    { say }: Pick<Terminal, 'say'>,
    asKept: (item: Item) => Item,
  ) {
    this.#settings = settings
    this.#say = say
    this.#asKept = asKept
    this.#items = new Spool('file', { folder: settings.ledger.dir, isNeeded: false })
    this.#pages = new Spool('file', { folder: settings.ledger.dir, isNeeded: false })
  }

  add(item: Item): void {
    this.#items.add(this.#asKept(item))
  }

  /** As many pages as fit; they are kept if the report is. */
  addPages(pages: readonly DamagedPage[]): void {
    const header = pages.find(({ page }) => page === 1)
    const first = header === undefined ? null : Buffer.from(header.bytes, 'base64')
    for (const found of pages) {
      const page = pageToKeep(found, first)
      this.#pageBytes += page.bytes.length
      if (this.#pageBytes <= pageBytesMax) this.#pages.add(page)
    }
  }

  items(): Iterable<Item> {
    return this.#items.all()
  }

  /** @param current chooses the items that are kept */
  async keep(frame: KeptFrame, current: (items: Iterable<Item>) => Iterable<Item>): Promise<void> {
    const { ledger, service } = this.#settings
    const { id, mode, startedAt, finishedAt, incident = null } = frame.run
    const heading = {
      schema: 'holdfast.kept/1',
      service: service.name,
      run: id,
      incident,
      mode,
      document: frame.schema,
      startedAt,
      finishedAt,
      exitCode: frame.summary.exitCode,
    } as const
    if (this.#items.lost > 0) return this.#notKept(`there was no room for its results in ${ledger.dir}`)
    try {
      await keepReport(ledger.dir, heading, storedLines({ ...frame }, current(this.#items.all())))
      if (this.#pageBytes > 0) keepPages(ledger.dir, heading, linesOf(this.#pages.all()))
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.#notKept(`${error.code}: ${error.message}; ${error.hint}`)
    }
  }

  #notKept(why: string): void {
    this.#say(
      `holdfast: the report of this run is not kept, so \`holdfast report\` cannot show it: ${printableSentence(why)}`,
    )
  }

  [Symbol.dispose](): void {
    this.#items[Symbol.dispose]()
    this.#pages[Symbol.dispose]()
  }
}

function* linesOf(pages: Iterable<DamagedPage>): Generator<string> {
  for (const page of pages) yield JSON.stringify(page)
}

/** A result as it is kept: without values of rows, which one person asked for once. */
export const keptResult = (result: Result): Result => ({ ...result, findings: result.findings.map(withoutValues) })
