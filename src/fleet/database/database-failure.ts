/** Errors of the database as failures in words. The text of a database is untrusted: it is shortened and printable. */

import { inWords, isSystemError } from '../../host/failures/system-failure.ts'
import { Failure, type FailureCode, type FailureDetail } from '../../model/failure.ts'
import { printableSentenceInUtf8 } from '../../text/printable.ts'
import { encryptionProblem } from './encryption-failure.ts'

/** @param name how messages name the database */
export function databaseFailure(error: unknown, name: string): Failure {
  if (error instanceof Failure) return error
  const unproven = error instanceof Error ? encryptionProblem(error) : null
  if (unproven !== null) {
    const { words, hint } = unproven
    return new Failure('FLEET_REFUSED', `${name}: ${words}`, { cause: error, hint })
  }
  const { code, detail = {} } = kindOf(error)
  return new Failure(code, `${name}: ${wordsOf(error)}`, { cause: error, ...detail })
}

interface DatabaseFailureKind {
  readonly code: FailureCode
  readonly detail?: FailureDetail
}

function kindOf(error: unknown): DatabaseFailureKind {
  const state = error instanceof Error && 'code' in error ? String(error.code) : ''
  return byState(state) ?? byMessage(error instanceof Error ? error.message : '') ?? { code: 'FLEET_STATEMENT_FAILED' }
}

const unreachable = /^(?:08...|57P0[1-5]|E[A-Z]+)$/
const refused = /^(?:28...|EACCES|EPERM|3D000|42501|ERR_TLS.*|.*CERT.*|.*SIGNATURE.*|.*ISSUER.*)$/
const full = /^(?:53[12]..|25006|58030)$/
const notPrepared = /^(?:42P01|3F000|42883|42703|42704)$/
const unknownName = /^(?:ENOTFOUND|EAI_[A-Z]+)$/
const checkName = "check the name in fleet.database, and this machine's name servers; until then agents pause no tenant"
const again = /^(?:40...|55P03)$/

function byState(state: string): DatabaseFailureKind | null {
  if (state === '53300')
    return { code: 'FLEET_UNREACHABLE', detail: { hint: 'the server has no free connection: see max_connections' } }
  if (unknownName.test(state)) return { code: 'FLEET_UNREACHABLE', detail: { hint: checkName } }
  if (refused.test(state)) return { code: 'FLEET_REFUSED' }
  if (unreachable.test(state)) return { code: 'FLEET_UNREACHABLE' }
  if (full.test(state)) return { code: 'FLEET_FULL' }
  if (notPrepared.test(state)) return { code: 'FLEET_NOT_PREPARED' }
  if (again.test(state)) return { code: 'FLEET_STATEMENT_FAILED', detail: { retry: true } }
  return null
}

/** What pg reports without a code. */
function byMessage(message: string): DatabaseFailureKind | null {
  if (/timeout|terminated|not queryable|connection ended|closed the connection/i.test(message))
    return { code: 'FLEET_UNREACHABLE' }
  if (/SSL|password|SASL|SCRAM/i.test(message)) return { code: 'FLEET_REFUSED' }
  return null
}

const wordsMax = 300

function wordsOf(error: unknown): string {
  if (isSystemError(error)) return inWords(error)
  if (error instanceof Error && 'hostname' in error)
    return `this machine finds no address for ${printableSentenceInUtf8(String(error.hostname))}`
  const text = error instanceof Error ? error.message : String(error)
  return printableSentenceInUtf8(text.split('\n')[0]?.slice(0, wordsMax) ?? '')
}
