/**
 * Results of a run until they are printed. For JSON they go to an unlinked private file, for text the sound ones are kept
 * in brief: a sweep of ten thousand tenants takes no more memory than one of ten. Where no file can be written (a full disk,
 * no TMPDIR) they stay in memory: no result is lost for the want of room.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noEvidence } from '../model/evidence.ts'
import type { Result } from '../model/report.ts'

const pieceBytes = 256 * 1024

export class Spool implements Disposable {
  readonly #kind: 'json' | 'brief' | 'whole'
  readonly #kept: Result[] = []
  #file: number | null = null
  #fileBytes = 0

  /** `json`: to be read once with `results`; `brief` and `whole`: to be taken with `kept`. */
  constructor(kind: 'json' | 'brief' | 'whole') {
    this.#kind = kind
  }

  add(result: Result): void {
    if (this.#kind === 'json') {
      if (this.#kept.length > 0 || !this.#append(`${JSON.stringify(result)}\n`)) this.#kept.push(result)
    } else this.#kept.push(this.#kind === 'brief' && result.verdict === 'sound' ? inBrief(result) : result)
  }

  get kept(): readonly Result[] {
    return this.#kept
  }

  /** All results in their order. */
  *results(): Generator<Result> {
    if (this.#file !== null) yield* this.#inFile(this.#file)
    yield* this.#kept
  }

  *#inFile(file: number): Generator<Result> {
    const buffer = Buffer.alloc(pieceBytes)
    let rest = Buffer.alloc(0)
    for (let position = 0; position < this.#fileBytes; ) {
      const length = readSync(file, buffer, 0, Math.min(pieceBytes, this.#fileBytes - position), position)
      position += length
      rest = Buffer.concat([rest, buffer.subarray(0, length)])
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        yield JSON.parse(rest.toString('utf8', 0, end)) as Result
        rest = rest.subarray(end + 1)
      }
    }
  }

  /** @returns false where it cannot be written; half a line counts for nothing, because `#fileBytes` ends before it */
  #append(line: string): boolean {
    const bytes = Buffer.from(line)
    try {
      this.#file ??= openUnlinked()
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done, bytes.length - done, this.#fileBytes + done)
    } catch {
      return false // Why does not matter: the run is about tenants, and its memory is there.
    }
    this.#fileBytes += bytes.length
    return true
  }

  [Symbol.dispose](): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}

/** A file without a name: it is gone with the process, whatever ends it. */
function openUnlinked(): number {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-results-'))
  try {
    return openSync(join(folder, 'results'), 'wx+', 0o600)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Of a sound result what a table shows of it: what all have in common they share. */
const inBrief = (result: Result): Result => ({
  ...result, ...inCommon, evidence: noEvidence, findings: result.findings.length === 0 ? inCommon.findings : result.findings,
})
const inCommon = { content: { tables: [] }, coverage: { pages: 0, pagesRead: 0, objects: 0, skipped: [] }, causes: [], findings: [], remedy: { do: 'nothing', indexes: [], rehearsed: false, why: '', command: null } } as const
