/** The steps of a comparison without child processes, for files that cannot crash or hang the reader. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { compareSnapshots } from '../../src/check/compare/compare-snapshots.ts'
import type { CheckedContent } from '../../src/check/compare/compare-snapshots.ts'
import { recoveredName } from '../../src/check/protocol.ts'
import type { AnswerOf, Reader, ReaderQuestion, QuestionOf, ReaderStep } from '../../src/check/protocol.ts'
import { SnapshotReader } from '../../src/check/reader/snapshot-reader.ts'
import { doubtsIn } from '../../src/comparison/tables.ts'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import type { Comparison } from '../../src/model/result/comparison.ts'
import type { Reading } from '../../src/model/result/reading.ts'
import { context } from './diagnosis.ts'
import { readInProcess, unconfined } from './read-in-process.ts'

export interface CompareLimits {
  readonly rowsEachPass?: number
  readonly memoryBytesMax?: number
  readonly timeoutMs?: number
}

export async function compareInProcess(a: string, b: string, limits: CompareLimits = {}): Promise<Comparison> {
  const [readingA, readingB] = [await readInProcess(a), await readInProcess(b)]
  using inA = openInProcess(a)
  using inB = openInProcess(b)
  return await compareSnapshots(
    { a: inA, b: inB },
    { a: checkedOf(readingA), b: checkedOf(readingB) },
    { rowsEachPass: 250_000, memoryBytesMax: 500_000_000, timeoutMs: 30_000, ...limits },
  )
}

const checkedOf = (reading: Reading): CheckedContent => ({
  content: reading.content,
  doubtOf: doubtsIn(diagnose(reading, context).findings, reading.coverage.skipped),
})

/** Answers every question. */
export interface InProcessReader extends Reader {
  ask<S extends ReaderStep>(question: QuestionOf<S>, timeoutMs: number): Promise<AnswerOf<S>>
}

/** Reads a copy of the database in this process. */
export function openInProcess(path: string): InProcessReader & Disposable {
  const folder = mkdtempSync(`${path}-sandbox-`)
  for (const part of ['', '-wal', '-journal'])
    if (existsSync(path + part)) copyFileSync(path + part, join(folder, recoveredName + part))
  const reader = new SnapshotReader(unconfined)
  void reader.answer({ step: 'confine', folder, user: null })
  return {
    ask: async <S extends ReaderStep>(question: QuestionOf<S>) =>
      (await reader.answer(question as ReaderQuestion)) as unknown as AnswerOf<S>,
    [Symbol.dispose]: () => {
      void reader.answer({ step: 'finish', pages: [], digesting: { kind: 'none' } })
      rmSync(folder, { recursive: true })
    },
  }
}
