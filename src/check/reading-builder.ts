/** A reading that is being made: what was learnt so far, and the time that is left. */
import { randomInt } from 'node:crypto'
import { monotonicMs } from '../host/clock.ts'
import { ChildEnded } from '../host/process/child.ts'
import type { Finding } from '../model/result/finding.ts'
import type { PagesSeen } from '../model/result/last-good.ts'
import type { BadPages, MappedPages, NoMap, PageGroups } from '../model/result/page-map.ts'
import type { Engine, Fact, Reading, Recovered, SchemaObject, Wall } from '../model/result/reading.ts'
import type { RowCounts, Skipped, TableContent } from '../model/result/verdict.ts'
import type { ReaderAnswer, AnswerOf, Digesting, QuestionOf, ReaderStep, Uncounted } from './protocol.ts'
import { StepFailed } from './replaceable-reader.ts'

/**
 * Asks a child, one question at a time; a child that died over an earlier question has been replaced by a fresh one.
 */
export interface Reader {
  ask<S extends ReaderStep>(question: QuestionOf<S>, timeoutMs: number): Promise<AnswerOf<S>>
}

export interface ReadingProgress {
  /**
   * Pages of the file that are done with; never fewer than before. What SQLite says beside and after them tells no
   * progress.
   */
  readonly pagesDone: number
  readonly pages: number
  /** Bytes. */
  readonly pageSize: number
}

/**
 * A child that hangs over a whole reading leaves most of the time to the single steps, which tell what it hangs over.
 */
const atOnceShare = 0.2

/** A key of fingerprints: whoever made the file must not know it. */
export const newKey = (): readonly [number, number] => [randomInt(2 ** 32), randomInt(2 ** 32)]

export interface ReadingLimits {
  readonly depth: 'quick' | 'full'
  readonly engine: Engine
  /** Is a map of the pages wanted? */
  readonly map: boolean
  readonly timeoutMs: number
  readonly memoryBytesMax: number
  readonly digesting: Digesting
  /** Whether findings tell what entries hold beside keys. */
  readonly showValues: boolean
  readonly onProgress: (progress: ReadingProgress) => void
}

export class ReadingBuilder {
  readonly limits: ReadingLimits
  readonly facts: Fact[] = []
  readonly skipped: Skipped[] = []
  /** What the census could not decide on. */
  readonly uncounted: Uncounted[] = []
  objects: readonly SchemaObject[] = []
  owners: ReadonlyMap<number, number> = new Map()
  content: readonly TableContent[] = []
  rowCounts: readonly RowCounts[] = []
  /** null until the pages were accounted for, and where nobody wants a map. */
  groups: PageGroups | null = null
  /** Pages of entries that do not agree with their rows. */
  entries: BadPages = { places: [], more: 0, groups: [] }
  digested: PagesSeen = { kind: 'not-digested' }
  recovered: Recovered | null = null
  /** Version of the SQLite that wrote the file last. */
  writtenBy: string | null = null
  pages = 0
  /** Bytes; 0 where the header gives none. */
  pageSize = 0
  pagesRead = 0
  complete = true
  readonly #sqliteVersion: string
  readonly #walls: readonly Wall[]
  readonly #began = monotonicMs()
  readonly #given = new Map<ReaderStep, ReaderAnswer>()
  #accounted = 0
  #counted = 0

  constructor({ sqliteVersion, walls }: Pick<Reading, 'sqliteVersion' | 'walls'>, limits: ReadingLimits) {
    this.#sqliteVersion = sqliteVersion
    this.#walls = walls
    this.limits = limits
  }

  /**
   * Small snapshots: what one question brings, the steps need not ask for. A child that dies over it has told nothing:
   * the steps then find out.
   */
  async beginAtOnce(child: Reader, bytesMax: number): Promise<void> {
    const { depth, engine, map, digesting, showValues, memoryBytesMax, timeoutMs } = this.limits
    try {
      const question = {
        step: 'atOnce',
        depth,
        engine,
        key: newKey(),
        map,
        digesting,
        showValues,
        bytesMax,
        memoryBytesMax: Math.floor(memoryBytesMax / 2),
      } as const
      const { answers } = await child.ask<'atOnce'>(question, timeoutMs * atOnceShare)
      for (const answer of answers) this.#given.set(answer.step, answer)
    } catch (error) {
      if (!(error instanceof ChildEnded || error instanceof StepFailed)) throw error
    }
  }

  /**
   * One step of the reading; null, and a fact, when the child did not come to its end. All steps together have the time
   * of one check.
   */
  async step<S extends ReaderStep>(asking: Reader, question: QuestionOf<S>): Promise<AnswerOf<S> | null> {
    const given = this.#given.get(question.step)
    if (given !== undefined && this.#given.delete(question.step)) return given as unknown as AnswerOf<S>
    const { timeoutMs } = this.limits
    const leftMs = timeoutMs - (monotonicMs() - this.#began)
    // That the time is up is said once.
    if (leftMs <= 0 && this.facts.some((fact) => fact.kind === 'child-ended' && fact.how === 'timeout')) return null
    if (leftMs <= 0) return this.#ended('timeout', question.step, `no time was left of ${timeoutMs} ms`)
    try {
      return await asking.ask<S>(question, leftMs)
    } catch (error) {
      if (error instanceof ChildEnded) {
        const { how, code, signal } = error.ended
        if (how === 'killed-timeout')
          return this.#ended('timeout', question.step, `it took longer than ${timeoutMs} ms`)
        if (how === 'killed-memory') return this.#ended('memory', question.step, 'it took more memory than it may')
        if (signal === 'SIGKILL')
          return this.#ended(
            'killed',
            question.step,
            'signal SIGKILL; the kernel\u2019s memory killer may have done it',
          )
        return this.#ended('crashed', question.step, signal === null ? `exit code ${code}` : `signal ${signal}`)
      }
      if (error instanceof StepFailed) return this.#ended('crashed', question.step, error.message)
      throw error
    }
  }

  found(findings: readonly Finding[]): void {
    this.facts.push(...findings.map((finding): Fact => ({ kind: 'found', finding })))
  }

  skip(object: string, why: string): void {
    this.skipped.push({ object, why })
    this.complete = false
  }

  /** So many pages were accounted for. */
  accounted(pages: number): void {
    this.#accounted = pages
    this.#tellProgress()
  }

  /** So many pages more were counted. */
  counted(pages: number): void {
    this.#counted += pages
    this.#tellProgress()
  }

  result(): Reading {
    return {
      depth: this.limits.depth,
      engine: this.limits.engine,
      sqliteVersion: this.#sqliteVersion,
      walls: this.#walls,
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
      content: this.content,
      rowCounts: this.rowCounts,
      pages: this.digested,
      recovered: this.recovered,
      map: this.limits.map ? this.#map() : null,
      complete: this.complete && this.facts.every((fact) => fact.kind !== 'thrown' && fact.kind !== 'refused'),
      checkMs: Math.round(monotonicMs() - this.#began),
    }
  }

  /**
   * With a census, pages are done with when they were both accounted for and counted: each is half of the way, from the
   * beginning.
   */
  #tellProgress(): void {
    const { depth, engine, onProgress } = this.limits
    const done =
      depth === 'full' && engine === 'census' ? Math.floor((this.#accounted + this.#counted) / 2) : this.#accounted
    onProgress({ pagesDone: Math.min(done, this.pages), pages: this.pages, pageSize: this.pageSize })
  }

  #map(): MappedPages | NoMap {
    if (this.groups !== null) return { kind: 'pages', accounted: this.groups, entries: this.entries }
    // Why the pages were not accounted for to the end.
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

  #ended(how: Extract<Fact, { kind: 'child-ended' }>['how'], during: string, detail: string): null {
    this.complete = false
    this.facts.push({ kind: 'child-ended', how, during, detail })
    return null
  }
}

/** Several questions may have met the same. */
const distinct = (skipped: readonly Skipped[]): readonly Skipped[] => [
  ...new Map(skipped.map((one) => [JSON.stringify(one), one])).values(),
]
