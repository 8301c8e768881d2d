/**
 * A reading without child processes: the same steps, for wounds by the hundred. Only where nothing can crash or hang.
 */
import { linkSync, mkdtempSync, rmSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { recoveredName } from '../../src/check/protocol.ts'
import type { AnswerOf, ReaderQuestion, QuestionOf, ReaderStep } from '../../src/check/protocol.ts'
import { readSnapshot } from '../../src/check/read-snapshot.ts'
import { SnapshotReader } from '../../src/check/reader/snapshot-reader.ts'
import type { PageDigests } from '../../src/model/result/last-good.ts'
import type { CheckDepth, Engine, Reading } from '../../src/model/result/reading.ts'
import type { SampleRequest } from '../../src/model/result/sample.ts'

/** The test's own process must stay as it is. */
export const unconfined = { enter: () => [], limitFileSize: () => undefined }

export async function readInProcess(
  path: string,
  depth: CheckDepth = 'full',
  engine: Engine = 'census',
  map = false,
  earlier: PageDigests | null = null,
  showValues = false,
  memoryBytesMax = 1e9,
  sample: SampleRequest | null = null,
): Promise<Reading> {
  const folder = mkdtempSync(`${path}-sandbox-`)
  try {
    for (const part of ['', '-wal', '-journal'])
      if (existsSync(path + part)) linkSync(path + part, join(folder, recoveredName + part))
    const reader = new SnapshotReader(unconfined)
    const confined = reader.answer({ step: 'confine', folder, user: null }) as AnswerOf<'confine'>
    const asking = {
      ask: async <S extends ReaderStep>(question: QuestionOf<S>) =>
        (await reader.answer(question as ReaderQuestion)) as unknown as AnswerOf<S>,
    }
    return await readSnapshot(
      { sqliteVersion: confined.sqliteVersion, walls: [], pages: asking, sqlite: asking, helpers: [] },
      {
        depth,
        engine,
        sample,
        map,
        digesting: { kind: 'pages', earlier },
        showValues,
        timeoutMs: 30_000,
        memoryBytesMax,
        onProgress: () => {},
      },
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}
