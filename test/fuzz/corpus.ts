/** Checks SQLite's own fuzz corpus with the confined checker and with the full check of the same SQLite. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openChecker } from '../../src/check/check.ts'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { ChildEndError, startChild } from '../../src/host/process/child.ts'
import type { Child } from '../../src/host/process/child.ts'
import { programBeside } from '../../src/host/process/program-beside.ts'
import type { SnapshotPath } from '../../src/model/brand.ts'
import type { Reading } from '../../src/model/result/reading.ts'
import type { Diagnosis } from '../../src/model/result/verdict.ts'
import { removeDatabase } from '../support/databases/create-database.ts'
import { bareFileContext } from '../support/differential/engines.ts'
import type { SqliteMessages } from '../support/differential/referee.ts'
import { readCorpus, unpackCorpus } from './corpus-source.ts'
import type { CorpusFile } from './corpus-source.ts'

export interface CorpusOptions {
  /** Checks only every nth database; 1: all. */
  readonly every: number
  /** A source package that is already on this machine; null to fetch it. */
  readonly archive: string | null
}

const timeoutMs = 20_000
const memoryBytesMax = 1e9
/** Databases checked in parallel. A child reads no second file after a damaged one, and starting a child is slow. */
const parallel = 2

/** @returns false if the checker threw, or reported a file sound in which SQLite found something */
export async function fuzzCorpus(
  folder: string,
  options: CorpusOptions,
  say: (line: string) => void,
): Promise<boolean> {
  const files = [...readCorpus(unpackCorpus(folder, options.archive))].filter((_, i) => i % options.every === 0)
  say(`${files.length} databases of the corpus`)
  const snapshots = join(folder, 'snapshots')
  mkdirSync(snapshots)
  await using checker = await openChecker({
    folder: snapshots,
    parallel,
    engine: 'census',
    timeoutMs,
    memoryBytesMax,
    niceness: 15,
  })
  const { signal } = new AbortController()
  const outcomes = new Map<string, number>()
  const wrong: string[] = []
  const queue = files.values()
  let done = 0
  const work = async (worker: number): Promise<void> => {
    await using referee = new Referee()
    for (const file of queue) {
      const path = join(snapshots, `${worker}.db`) as SnapshotPath
      writeFileSync(path, file.bytes)
      copyFileSync(path, `${path}.referee`)
      try {
        const answer = await referee.ask(`${path}.referee`)
        const reading = await checker.check(path, { depth: 'full', signal })
        const outcome = compare(file, reading, diagnose(reading, bareFileContext), answer, wrong)
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      } catch (error) {
        wrong.push(`${file.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      }
      for (const one of [path, `${path}.referee`]) removeDatabase(one)
      if (++done % 500 === 0) say(`${done} done, ${wrong.length} wrong`)
    }
  }
  await Promise.all(Array.from({ length: parallel }, (_, worker) => work(worker)))
  for (const [outcome, number] of [...outcomes].toSorted(([, a], [, b]) => b - a)) say(`  ${number} ${outcome}`)
  for (const line of wrong) say(line)
  say(
    wrong.length === 0
      ? 'no database in which SQLite found something was reported sound'
      : `${wrong.length} DATABASES HAD A WRONG RESULT`,
  )
  return wrong.length === 0
}

/** SQLite's answer about a file, or how the process ended that should have given it. */
type RefereeAnswer =
  | { readonly kind: 'ok' | 'complains'; readonly text: string }
  | { readonly kind: 'ended'; readonly text: string }

class Referee implements AsyncDisposable {
  #child: Child<string, SqliteMessages> | null = null

  async ask(path: string): Promise<RefereeAnswer> {
    this.#child ??= await startChild<string, SqliteMessages>(programBeside(import.meta.url, 'referee-child'), {
      ownSession: true,
      niceness: 15,
      memoryBytesMax,
      env: {},
    })
    try {
      const { lines, thrown } = await this.#child.ask(path, { timeoutMs })
      return { kind: lines.length > 0 || thrown !== null ? 'complains' : 'ok', text: thrown ?? lines[0] ?? '' }
    } catch (error) {
      if (!(error instanceof ChildEndError)) throw error
      this.#child = null
      return { kind: 'ended', text: error.message }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child?.[Symbol.asyncDispose]()
  }
}

function compare(
  file: CorpusFile,
  reading: Reading,
  { verdict, findings }: Diagnosis,
  answer: RefereeAnswer,
  wrong: string[],
): string {
  const ended = reading.facts.flatMap((fact) =>
    fact.kind === 'child-ended' ? [`${fact.how} during ${fact.during}`] : [],
  )
  // Content that an application may have written is sound, but must be listed (check/README.md, bars).
  if (answer.kind !== 'ok' && verdict.kind === 'sound' && (answer.kind === 'ended' || findings.length === 0))
    wrong.push(`${file.name}: sound, but SQLite: ${answer.text}`)
  const ours = ended.length > 0 ? `${verdict.kind} (the reading child: ${ended.join(', ')})` : verdict.kind
  const theirs = { ok: 'SQLite says ok', complains: 'SQLite complains', ended: `SQLite's own process: ${answer.text}` }[
    answer.kind
  ]
  return `${ours}; ${theirs}${verdict.kind === 'sound' && findings.length > 0 ? ', notices are listed' : ''}`
}
