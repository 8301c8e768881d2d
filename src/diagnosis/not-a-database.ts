/** The diagnosis of files that are not a database. */

import type { FailureCode } from '../model/failure.ts'
import type { Finding } from '../model/result/finding.ts'
import type { Reading } from '../model/result/reading.ts'
import type { Diagnosis, NonEmpty } from '../model/result/verdict.ts'
import { count } from '../text/count.ts'
import type { DiagnosisContext } from './context.ts'
import { theFile } from './messages/schema-view.ts'
import { nameCompanion } from './recovery.ts'
import { nothingToMend, restoreOrAsk } from './remedy.ts'

/**
 * `foreign`: no SQLite header, and no pages that look like SQLite's. `broken-header`: pages of SQLite behind a header
 * that is not.
 */
export type NoDatabase = 'empty' | 'foreign' | 'broken-header'

export interface NoDatabaseDiagnosis {
  readonly diagnosis: Diagnosis
  /** The failure of an `inconclusive` result; null if the file is damaged. */
  readonly failure: Extract<FailureCode, 'EMPTY_FILE' | 'NOT_SQLITE'> | null
}

type Context = Pick<DiagnosisContext, 'tenant' | 'path' | 'verifiedBackup'> & { readonly knownToLedger: boolean }

/** A file that must be a database is damaged if it is none. Any other file may never have been one. */
export function diagnoseNoDatabase(kind: Exclude<NoDatabase, 'empty'>, context: Context): NoDatabaseDiagnosis {
  const words = {
    foreign: 'the file has no SQLite header',
    'broken-header': 'the header is overwritten, and pages of SQLite follow it',
  }[kind]
  const expected =
    context.tenant !== null
      ? 'the service lists it as a tenant'
      : context.knownToLedger
        ? 'the ledger knows it as a database'
        : null
  if (expected === null && kind === 'foreign')
    return inconclusive(
      'NOT_SQLITE',
      `${words}: it is encrypted, it is not a database, or its beginning was overwritten`,
    )
  const text = expected === null ? words : `${words}, but ${expected}`
  const finding: Finding = {
    rule: kind === 'broken-header' ? 'header-wrong' : 'not-a-database',
    severity: 'damage',
    source: kind === 'broken-header' ? 'census' : 'ledger',
    object: theFile,
    text,
  }
  return damageDiagnosis([finding], context)
}

/**
 * SQLite creates a database as an empty file, and writes its first page with the first table. So an empty file alone is
 * no damage, also in the registry. It is damage if the ledger knows pages of it, or if a WAL beside it holds commits.
 * @param reading of the file with what lies beside it; null if nothing does
 */
export function diagnoseEmptyFile(
  context: Context,
  reading: Pick<Reading, 'facts' | 'recovered'> | null,
): NoDatabaseDiagnosis {
  const beside = (reading?.recovered?.companions ?? []).map(
    ({ part, bytes }) => `${nameCompanion({ part })} ${context.path}${part} (${count(bytes, 'byte')})`,
  )
  const lies =
    beside.length === 0
      ? ''
      : `; beside it lies ${beside.join(' and ')}: copy it away, because SQLite deletes it unread when it ` +
        `opens the file`
  const lost = (reading?.facts ?? []).flatMap((fact) =>
    fact.kind === 'found' && fact.finding.severity === 'damage' ? [fact.finding] : [],
  )
  if (!context.knownToLedger && lost.length === 0) return inconclusive('EMPTY_FILE', `the file is empty${lies}`)
  const text = `the file is empty${context.knownToLedger ? ', but the ledger knows it as a database' : ''}${lies}`
  const empty: Finding = {
    rule: 'not-a-database',
    severity: 'damage',
    source: context.knownToLedger ? 'ledger' : 'census',
    object: theFile,
    text,
  }
  return damageDiagnosis([empty, ...lost], context)
}

function inconclusive(failure: 'EMPTY_FILE' | 'NOT_SQLITE', reason: string): NoDatabaseDiagnosis {
  return {
    failure,
    diagnosis: {
      verdict: { kind: 'inconclusive', reason },
      damage: 'none',
      findings: [],
      remedy: nothingToMend(reason, `holdfast explain ${failure}`),
      causes: [],
    },
  }
}

function damageDiagnosis(findings: NonEmpty<Finding>, context: Context): NoDatabaseDiagnosis {
  return {
    failure: null,
    diagnosis: {
      verdict: { kind: 'damaged', findings },
      damage: 'file',
      findings,
      causes: [],
      remedy: restoreOrAsk('the file itself is damaged', context),
    },
  }
}
