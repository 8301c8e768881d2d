/** The questions to the ledger's process that need nothing but an answer. How one is asked: `ledger-process.ts`. */

import type { TenantId } from '../model/brand.ts'
import type { OpenHold } from '../model/event.ts'
import type { KnownFile, SchemaOutliers } from '../model/result/last-good.ts'
import type { SampleRound } from '../model/result/sample.ts'
import type { OtherHold } from '../model/service-way.ts'
import { count } from '../text/count.ts'
import type {
  AllResults,
  LocalFleetRun,
  LastResult,
  LedgerLine,
  NewestLines,
  NotableResults,
  PauseTotals,
  RecordedRegistry,
  RecordedRun,
  RecordedSweep,
} from './ledger.ts'
import { answerMax, type FileKey, type LedgerAnswer, type LedgerQuestion, type QuietTerms } from './protocol.ts'
import { readAll, readNotable, readPages, type ResultPage } from './read-pages.ts'

export abstract class LedgerQuestions {
  /** Appends that wait are written first. @throws {Failure} LEDGER_UNUSABLE */
  protected abstract ask<Kind extends LedgerAnswer['kind']>(
    question: LedgerQuestion,
    kind: Kind,
  ): Promise<Extract<LedgerAnswer, { kind: Kind }>>

  protected abstract addNotice(notice: string): void

  async openHolds(): Promise<readonly OpenHold[]> {
    return (await this.ask({ ask: 'open-holds' }, 'open-holds')).holds
  }

  async otherHolds(): Promise<readonly OtherHold[]> {
    return (await this.ask({ ask: 'other-holds' }, 'other-holds')).holds
  }

  async lastResults(): Promise<readonly LastResult[]> {
    const { results, more } = await readPages((after) => this.#page(after, null))
    if (more) this.#noticeMore(results.length)
    return results
  }

  async allResults(since: number, now: number): Promise<AllResults> {
    const { more, ...results } = await readAll((after) => this.#page(after, null), { since, now })
    if (more) this.#noticeMore(answerMax.lastResults)
    return results
  }

  #noticeMore(read: number): void {
    this.addNotice(`only ${count(read, 'result')} of the ledger were read, there are more`)
  }

  async sampleRound(file: KnownFile): Promise<SampleRound | null> {
    return (await this.ask({ ask: 'sample-round', file }, 'sample-round')).round
  }

  async schemaOutliers(): Promise<SchemaOutliers> {
    return (await this.ask({ ask: 'schema-outliers' }, 'schema-outliers')).found
  }

  notableResults(since: number, now: number): Promise<NotableResults> {
    return readNotable((after, listed) => this.#page(after, { since, now, ...listed }))
  }

  #page(after: FileKey | null, quiet: QuietTerms | null): Promise<ResultPage> {
    return this.ask({ ask: 'last-results', after, quiet }, 'last-results')
  }

  async history(tenant: TenantId | null, limit: number): Promise<readonly LedgerLine[]> {
    return (await this.ask({ ask: 'history', tenant, limit }, 'history')).lines
  }

  async checks(tenant: TenantId | null, limit: number): Promise<NewestLines> {
    return (await this.ask({ ask: 'checks', tenant, limit }, 'checks')).newest
  }

  async runLines(run: string, limit: number): Promise<NewestLines> {
    return (await this.ask({ ask: 'run-lines', run, limit }, 'run-lines')).newest
  }

  async lastRuns(limit: number): Promise<readonly RecordedRun[]> {
    return (await this.ask({ ask: 'last-runs', limit }, 'last-runs')).runs
  }

  async fleetRuns(): Promise<readonly LocalFleetRun[]> {
    const all: LocalFleetRun[] = []
    for (let after: number | null = 0; after !== null;) {
      const { runs, next }: Extract<LedgerAnswer, { kind: 'fleet-runs' }> = await this.ask(
        { ask: 'fleet-runs', after },
        'fleet-runs',
      )
      all.push(...runs)
      after = next
    }
    return all
  }

  async compact(workMs: number): Promise<boolean> {
    return (await this.ask({ ask: 'compact', workMs }, 'compacted')).more
  }

  async lastSweep(): Promise<RecordedSweep | null> {
    return (await this.ask({ ask: 'last-sweep' }, 'last-sweep')).sweep
  }

  async pauseTotals(): Promise<PauseTotals> {
    return (await this.ask({ ask: 'pause-totals' }, 'pause-totals')).totals
  }

  async lastRegistry(): Promise<RecordedRegistry | null> {
    return (await this.ask({ ask: 'last-registry' }, 'last-registry')).registry
  }
}
