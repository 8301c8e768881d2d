/** What a file is without the WAL or journal that recovery wrote into it, and what follows for the verdict. */

import type { Cause } from '../model/result/finding.ts'
import type { Reading } from '../model/result/reading.ts'
import type { Companion, Recovery } from '../model/result/recovery.ts'
import type { Diagnosis } from '../model/result/verdict.ts'
import type { DiagnosisContext } from './context.ts'
import { diagnose } from './diagnose.ts'

export interface RecoveryAssessment {
  readonly diagnosis: Diagnosis
  readonly without: Recovery['without']
}

/** A person must decide about damage that comes only with the companion: a rebuild would make its effect permanent. */
export function weighRecovery(
  diagnosis: Diagnosis,
  { recovered }: Reading,
  context: DiagnosisContext,
): RecoveryAssessment {
  if (!recovered?.without) return { diagnosis, without: null }
  const alone = diagnose(recovered.without, context)
  const without = {
    verdict: alone.verdict.kind,
    damage: alone.damage,
    findingsTotal: alone.findings.length,
    tables: recovered.without.content,
  }
  const { verdict } = diagnosis
  // A log that is cut says nothing about the file without it.
  const wrote =
    verdict.kind === 'damaged' && verdict.findings.some(({ rule }) => rule !== 'wal-cut' && rule !== 'journal-cut')
  if (!wrote || alone.verdict.kind !== 'sound') return { diagnosis, without }
  const what = recovered.companions.map(nameCompanion).join(' and ')
  const cause: Cause = {
    hint: 'foreign-companion',
    why:
      `without ${what} the file is whole. A restore may have left ${what} of an older file behind, ` +
      'or its own bytes changed',
  }
  const remedy = {
    do: 'ask',
    indexes: [],
    rehearsed: false,
    why:
      `the damage comes with ${what}; without it the file is whole. A person must decide which of the two is right. ` +
      'Keep a copy of both. Let no program open the file before that, because SQLite would write ' +
      `${what} into the file`,
    command: 'holdfast explain foreign-companion',
  } as const
  return { diagnosis: { ...diagnosis, causes: [...diagnosis.causes, cause], remedy }, without }
}

/** The name of a companion in a sentence. */
export const nameCompanion = ({ part }: Pick<Companion, 'part'>): string =>
  part === '-wal' ? 'the write-ahead log' : 'the rollback journal'
