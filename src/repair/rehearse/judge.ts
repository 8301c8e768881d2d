/** The whole check of a file that holdfast made: by the census, then by SQLite. Both must find it sound. */

import type { Checker, CheckOptions } from '../../check/check.ts'
import type { DiagnosisContext } from '../../diagnosis/context.ts'
import { diagnose } from '../../diagnosis/diagnose.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import type { KeptFiles } from '../../model/kept-file.ts'
import type { Engine, Reading } from '../../model/result/reading.ts'
import type { VerdictWord } from '../../model/result/verdict.ts'

interface JudgedFile {
  readonly path: SnapshotPath
  readonly kept: KeptFiles | null
  readonly context: DiagnosisContext
}

/** `reading` is that of the census. `why`: in words, why it is not sound; null if it is. */
export interface FileJudgement {
  readonly verdict: VerdictWord
  readonly why: string | null
  readonly reading: Reading
}

/** @throws as `Checker.check` */
export async function judgeByBothEngines(
  checker: Checker,
  file: JudgedFile,
  signal: AbortSignal,
  onStep: (step: 'check' | 'check-by-sqlite') => void,
): Promise<FileJudgement> {
  onStep('check')
  const reading = await checkBy(checker, file, 'census', signal)
  const census = verdictOf(reading, file.context)
  if (census.why !== null) return { ...census, reading }
  onStep('check-by-sqlite')
  const bySqlite = verdictOf(await checkBy(checker, file, 'sqlite', signal), file.context)
  return { ...bySqlite, why: bySqlite.why === null ? null : `SQLite: ${bySqlite.why}`, reading }
}

/** The whole check of a file by one engine. @throws as `Checker.check` */
export function checkBy(
  checker: Checker,
  { path, kept }: Pick<JudgedFile, 'path' | 'kept'>,
  engine: Engine,
  signal: AbortSignal,
): Promise<Reading> {
  const options: CheckOptions = { depth: 'full', engine, suspectCompanions: false, signal }
  return checker.check(path, kept === null ? options : { ...options, kept })
}

function verdictOf(reading: Reading, context: DiagnosisContext): Pick<FileJudgement, 'verdict' | 'why'> {
  const { verdict } = diagnose(reading, context)
  switch (verdict.kind) {
    case 'sound':
      return { verdict: 'sound', why: null }
    case 'damaged':
      return { verdict: 'damaged', why: verdict.findings[0].text }
    case 'inconclusive':
      return { verdict: 'inconclusive', why: verdict.reason }
  }
}
