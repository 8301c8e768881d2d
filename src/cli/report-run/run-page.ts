/** The page of a run: what its report says, with earlier checks of the tenants that have problems. */
import { wayOf } from '../../config/service-way.ts'
import type { Settings } from '../../config/settings.ts'
import type { LedgerLine } from '../../ledger/ledger.ts'
import { tenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { collectPage, pageBounds, type HistoryLine, type PageData } from '../../report/page/page-data.ts'
import { renderPage } from '../../report/page/page.ts'
import type { StoredReport } from '../../report/stored-report.ts'
import { verdictWord } from '../../report/text/result-words.ts'
import { ledgerToRead } from '../read-ledger.ts'

type PageSettings = Pick<Settings, 'file' | 'ledger' | 'service'>

/**
 * The page in pieces, of tenants of a service.
 * @param config the configuration that the command line named, else null
 * @throws {Failure} REPORT_BROKEN
 */
export async function runPage(
  report: StoredReport,
  settings: PageSettings,
  config: string | null,
): Promise<Iterable<string>> {
  const data = collectPage(report)
  const read = await readHistories(data, settings)
  return renderPage(data, { service: settings.service.name, config, ...read })
}

/**
 * The page in pieces, of bare files.
 * @throws {Failure} REPORT_BROKEN
 */
export const filesPage = (report: StoredReport, config: string | null): Iterable<string> =>
  renderPage(collectPage(report), { service: null, config, histories: new Map(), noHistory: null })

type Histories = ReadonlyMap<string, readonly HistoryLine[]>

async function readHistories(
  { problems }: PageData,
  settings: PageSettings,
): Promise<{ readonly histories: Histories; readonly noHistory: string | null }> {
  const tenants = new Set(problems.flatMap(({ tenant }) => (tenant === null ? [] : [tenant as string])))
  if (tenants.size === 0) return { histories: new Map(), noHistory: null }
  try {
    await using ledger = await ledgerToRead(settings.ledger.dir, wayOf(settings))
    const histories = new Map<string, readonly HistoryLine[]>()
    for (const tenant of [...tenants].slice(0, pageBounds.histories)) {
      const { lines } = await ledger.checks(tenantId(tenant), pageBounds.checksOfHistory)
      histories.set(tenant, lines.flatMap(asHistory))
    }
    return { histories, noHistory: null }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { histories: new Map(), noHistory: `no history is shown: ${error.code}: ${error.message}` }
  }
}

function asHistory({ at, run, event }: LedgerLine): readonly HistoryLine[] {
  switch (event.kind) {
    case 'checked': {
      const { verdict, damage, depth, evidence, timings } = event.result
      const what = `${verdictWord(event.result)}${damage === 'none' ? '' : ` (${damage})`}, ${depth}, ${evidence.level}`
      return [{ at, run, what, isSound: verdict === 'sound', pauseMs: timings.pauseMs }]
    }
    case 'change-ended':
      return [{ at, run, what: `change ${event.change}: ${event.how}`, isSound: true, pauseMs: null }]
    default:
      return []
  }
}
