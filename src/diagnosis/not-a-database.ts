/** What to say of files that are no database (interfaces.md, "Files that are no database"). */
import type { FailureCode } from '../model/failure.ts'
import type { Finding } from '../model/finding.ts'
import type { Diagnosis } from '../model/verdict.ts'
import { target } from './command.ts'
import type { DiagnosisContext } from './context.ts'
import { nothingToMend } from './remedy.ts'
import { theFile } from './schema-view.ts'

/** `foreign`: no SQLite header, and nothing behind it looks like SQLite's. `broken-header`: pages that look like SQLite's behind a header that does not. */
export type NoDatabase = 'empty' | 'foreign' | 'broken-header'

export interface NoDatabaseDiagnosis {
  readonly diagnosis: Diagnosis
  /** The failure that goes with an `inconclusive` result; null where the file is damaged. */
  readonly failure: Extract<FailureCode, 'EMPTY_FILE' | 'NOT_SQLITE'> | null
}

/** A file that ought to be a database has been damaged; of any other nobody knows that it ever was one. */
export function diagnoseNoDatabase(kind: NoDatabase, context: Pick<DiagnosisContext, 'tenant' | 'path' | 'verifiedBackup'> & { readonly knownToLedger: boolean }): NoDatabaseDiagnosis {
  const words = { empty: 'the file is empty', foreign: 'the file has no SQLite header', 'broken-header': 'the header is overwritten, and behind it are pages of SQLite' }[kind]
  const expected = context.tenant !== null ? 'it is a tenant of the registry' : context.knownToLedger ? 'the ledger knows it as a database' : null
  if (expected === null && kind !== 'broken-header') {
    const reason = `${words}${kind === 'empty' ? '' : ': it is encrypted, foreign, or its beginning was overwritten'}`
    const failure = kind === 'empty' ? 'EMPTY_FILE' : 'NOT_SQLITE'
    return { failure, diagnosis: { verdict: { kind: 'inconclusive', reason }, damage: 'none', findings: [], remedy: nothingToMend(reason, `holdfast explain ${failure}`), causes: [] } }
  }
  const text = expected === null ? words : `${words}, but ${expected}`
  const finding: Finding = { rule: kind === 'broken-header' ? 'header-wrong' : 'not-a-database', severity: 'damage', source: kind === 'broken-header' ? 'census' : 'ledger', object: theFile, text }
  const canRestore = context.verifiedBackup && context.tenant !== null
  return {
    failure: null,
    diagnosis: {
      verdict: { kind: 'damaged', findings: [finding] }, damage: 'file', findings: [finding], causes: [],
      remedy: {
        do: canRestore ? 'restore' : 'ask', indexes: [], rehearsed: false,
        why: canRestore ? 'the file itself is damaged; a verified backup exists' : 'the file itself is damaged; no verified backup is known: keep the file as it is, and let a person decide',
        command: `holdfast ${canRestore ? 'restore' : 'repair'} ${target(context.tenant, context.path)}`,
      },
    },
  }
}
