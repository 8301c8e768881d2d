/** A comparison without child processes: the same steps. Only where nothing can crash or hang. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { compareSnapshots } from '../../src/check/compare/compare-snapshots.ts'
import type { CheckedContent } from '../../src/check/compare/compare-snapshots.ts'
import { recoveredName } from '../../src/check/protocol.ts'
import type { AnswerOf, ReaderQuestion, QuestionOf, ReaderStep } from '../../src/check/protocol.ts'
import { SnapshotReader } from '../../src/check/reader/snapshot-reader.ts'
import type { Reader } from '../../src/check/reading-builder.ts'
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

/** A reader of a copy of the database, in this process. */
export function openInProcess(path: string): Reader & Disposable {
  const folder = mkdtempSync(`${path}-room-`)
  for (const part of ['', '-wal', '-journal'])
    if (existsSync(path + part)) copyFileSync(path + part, join(folder, recoveredName + part))
  const reader = new SnapshotReader(unconfined)
  reader.answer({ step: 'enter', folder, user: null })
  return {
    ask: async <S extends ReaderStep>(question: QuestionOf<S>) =>
      reader.answer(question as ReaderQuestion) as unknown as AnswerOf<S>,
    [Symbol.dispose]: () => {
      reader.answer({ step: 'finish', pages: [], digesting: { kind: 'none' } })
      rmSync(folder, { recursive: true })
    },
  }
}
