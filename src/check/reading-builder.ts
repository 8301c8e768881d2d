/** A reading that is being made: what was found out so far, and the time that is left. */
import { randomInt } from 'node:crypto'
import { monotonicMs } from '../host/clock.ts'
import type { Finding, Rule } from '../model/result/finding.ts'
import type { PageDigestResult } from '../model/result/last-good.ts'
import type { BadPages, MappedPages, NoMap, PageGroups } from '../model/result/page-map.ts'
import type { CheckDepth, Engine, Fact, Reading, RecoveryFacts, SchemaObject } from '../model/result/reading.ts'
import type { SampledRange, SampleRequest } from '../model/result/sample.ts'
import type { RowCounts, SkippedObject, TableContent, TextEncodingName } from '../model/result/verdict.ts'
import { isUnanswered } from './protocol.ts'
import type {
  AnswerOf,
  DigestRequest,
  MissingAnswer,
  QuestionOf,
  Reader,
  ReaderAnswer,
  ReaderStep,
} from './protocol.ts'
import type { UncountedObject } from './step-answers.ts'

export interface ReadingProgress {
  /** Pages of the file that are done; never fewer than before. SQLite's own check does not count. */
  readonly pagesDone: number
  readonly pages: number
  /** Bytes. */
  readonly pageSize: number
}

export interface ReadingLimits {
  readonly depth: CheckDepth
  readonly engine: Engine
  /** Which part is read at depth `sample`; else null. */
  readonly sample: SampleRequest | null
  /** True if a map of the pages is wanted. */
  readonly map: boolean
  /** For all steps together. */
  readonly timeoutMs: number
  /** For each process. */
  readonly memoryBytesMax: number
  readonly digesting: DigestRequest
  /** True if findings show what entries hold beside keys. */
  readonly showValues: boolean
  readonly onProgress: (progress: ReadingProgress) => void
}

export class ReadingBuilder {
  readonly limits: ReadingLimits
  readonly facts: Fact[] = []
  readonly skipped: SkippedObject[] = []
  /** What the census could not decide. */
  readonly uncounted: UncountedObject[] = []
  objects: readonly SchemaObject[] = []
  owners: ReadonlyMap<number, number> = new Map()
  /** Digest of the normalized schema. */
  schema: string | null = null
  /** null if the schema has no plan for a census. */
  encoding: TextEncodingName | null = null
  content: readonly TableContent[] = []
  rowCounts: readonly RowCounts[] = []
  /** null until the pages were accounted for, and if no map is wanted. */
  groups: PageGroups | null = null
  /** Pages of index entries that differ from their rows. */
  entries: BadPages = { places: [], more: 0, groups: [] }
  digested: PageDigestResult = { kind: 'not-digested' }
  recovered: RecoveryFacts | null = null
  /** Version of the SQLite that wrote the file last. */
  writtenBy: string | null = null
  pages = 0
  /** Bytes; 0 if the header gives none. */
  pageSize = 0
  pagesRead = 0
  sampled: SampledRange | null = null
  complete = true
  /** Of fingerprints, the same for all readers. Random, because the program that made the file must not know it. */
  readonly key: readonly [number, number]
  readonly #began = monotonicMs()
  readonly #early = new Map<ReaderStep, ReaderAnswer>()
  #accounted = 0
  #counted = 0

  constructor(limits: ReadingLimits, key: readonly [number, number] = [randomInt(2 ** 32), randomInt(2 ** 32)]) {
    this.limits = limits
    this.key = key
  }

  /** Takes answers to questions that the steps have not asked yet; `step` then does not ask them. */
  takeEarly(answers: readonly ReaderAnswer[]): void {
    for (const answer of answers) this.#early.set(answer.step, answer)
  }

  /**
   * Asks one question. All steps together have `limits.timeoutMs`.
   * @returns null if there was no answer; a fact then says why @throws what the reader throws
   */
  async step<S extends ReaderStep>(reader: Reader, question: QuestionOf<S>): Promise<AnswerOf<S> | null> {
    const early = this.#early.get(question.step)
    if (early !== undefined) {
      this.#early.delete(question.step)
      return early as unknown as AnswerOf<S>
    }
    const { timeoutMs } = this.limits
    const leftMs = timeoutMs - (monotonicMs() - this.#began)
    // One fact is enough for all steps that had no time.
    if (leftMs <= 0 && this.facts.some((fact) => fact.kind === 'child-ended' && fact.how === 'timeout')) return null
    if (leftMs <= 0) return this.#addEnd('timeout', question.step, `no time was left of ${timeoutMs} ms`)
    const answer = await reader.ask<S>(question, leftMs)
    return isUnanswered<S>(answer) ? this.#endWithoutAnswer(answer, question.step) : answer
  }

  hasFound(rule: Rule): boolean {
    return this.facts.some((fact) => fact.kind === 'found' && fact.finding.rule === rule)
  }

  addFindings(findings: readonly Finding[]): void {
    this.facts.push(...findings.map((finding): Fact => ({ kind: 'found', finding })))
  }

  skip(object: string, why: string): void {
    this.skipped.push({ object, why })
    this.complete = false
  }

  /** @param pages accounted for so far */
  setAccounted(pages: number): void {
    this.#accounted = pages
    this.#reportProgress()
  }

  /** @param pages counted since the last call */
  addCounted(pages: number): void {
    this.#counted += pages
    this.#reportProgress()
  }

  result({ sqliteVersion, walls }: Pick<Reading, 'sqliteVersion' | 'walls'>): Reading {
    return {
      depth: this.limits.depth,
      engine: this.limits.engine,
      sqliteVersion,
      walls,
      writtenBy: this.writtenBy,
      facts: this.facts,
      objects: this.objects,
      owners: this.owners,
      coverage: {
        pages: this.pages,
        pagesRead: this.pagesRead,
        objects: this.objects.length,
        skipped: distinct(this.skipped),
      },
      pageSize: this.pageSize,
      sampled: this.sampled,
      schema: this.schema,
      encoding: this.encoding,
      content: this.content,
      rowCounts: this.rowCounts,
      pages: this.digested,
      recovered: this.recovered,
      map: this.limits.map ? this.#map() : null,
      complete: this.complete && this.facts.every((fact) => fact.kind !== 'thrown' && fact.kind !== 'refused'),
      checkMs: Math.round(monotonicMs() - this.#began),
    }
  }

  /** With a census, a page is done when it was both accounted for and counted. Each is half of the way. */
  #reportProgress(): void {
    const { depth, engine, onProgress } = this.limits
    const done =
      depth === 'full' && engine === 'census' ? Math.floor((this.#accounted + this.#counted) / 2) : this.#accounted
    onProgress({ pagesDone: Math.min(done, this.pages), pages: this.pages, pageSize: this.pageSize })
  }

  #map(): MappedPages | NoMap {
    if (this.groups !== null) return { kind: 'pages', accounted: this.groups, entries: this.entries }
    // Why not all pages were accounted for.
    const skipped = this.skipped.find(({ object }) => object === 'pages' || object === 'journal')
    if (skipped) return { kind: 'none', why: skipped.why }
    const ended = this.facts.find((fact) => fact.kind === 'child-ended')
    return {
      kind: 'none',
      why:
        ended === undefined
          ? 'the pages were not accounted for'
          : `the process that reads did not come to its end (${ended.during}: ${ended.detail})`,
    }
  }

  #endWithoutAnswer({ how, detail }: MissingAnswer, during: ReaderStep): null {
    if (how === 'timeout') return this.#addEnd('timeout', during, `it took longer than ${this.limits.timeoutMs} ms`)
    return this.#addEnd(how === 'failed' ? 'crashed' : how, during, detail)
  }

  #addEnd(how: Extract<Fact, { kind: 'child-ended' }>['how'], during: string, detail: string): null {
    this.complete = false
    this.facts.push({ kind: 'child-ended', how, during, detail })
    return null
  }
}

/** Several questions may have skipped the same for the same reason. */
const distinct = (skipped: readonly SkippedObject[]): readonly SkippedObject[] => [
  ...new Map(skipped.map((one) => [JSON.stringify(one), one])).values(),
]
