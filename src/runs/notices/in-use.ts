/**
 * What a person may do about a file that a program keeps open, and that no service can be asked to close. Each failure
 * then names the way that its command has.
 */

import type { Failure, FailureCode } from '../../model/failure.ts'
import { targetWords } from '../../text/shell-words.ts'
import type { RunContext } from '../begin/run-context.ts'
import type { Target } from '../begin/target.ts'

const inUse: ReadonlySet<FailureCode> = new Set<FailureCode>(['IN_USE', 'LOCK_BUSY'])

type InUseContext = Pick<RunContext, 'connectionOf' | 'levelFor' | 'listsDatabases'>

/** No service can be asked to close the file. */
const isHeldBare = (target: Target, { connectionOf, levelFor }: InUseContext): boolean =>
  connectionOf(target) === null && levelFor(target) !== 'pinned'

/** A check of a bare file, or of a file of `service.files`, can be made beside the program, with a weaker proof. */
export function withWayAround(failure: Failure, target: Target, way: InUseContext): Failure {
  if (!inUse.has(failure.code) || !isHeldBare(target, way)) return failure
  if (target.tenant === null)
    return failure.withHint(
      `\`holdfast check --live ${targetWords(null, target.named)}\` checks it while the program has it open; ` +
        '`holdfast holders FILE` names the programs',
    )
  // While a service with an API is down, its tenants are held as bare files are, and must be sealed.
  if (way.listsDatabases) return failure
  return failure.withHint(
    'with hold.require: pinned holdfast checks it while its program has it open (`holdfast explain pinned`); ' +
      '`holdfast holders FILE` names the programs',
  )
}

/** How `salvage` gets at the rows of a bare file while its program runs. */
export const copyForSalvage = (path: string): string =>
  `while it runs, \`holdfast check --live ${targetWords(null, path)} --keep-snapshot DIR\` makes a copy, which ` +
  '`holdfast salvage` can read'

/** A remedy cannot: no program may have the file open while it is changed. */
export const withRealHold = (failure: Failure, target: Target, way: InUseContext): Failure =>
  inUse.has(failure.code) && isHeldBare(target, way)
    ? failure.withHint(
        'a remedy needs a file that no program has open: stop the program, run this again, then start it; ' +
          'or let hooks stop and start it (src/service/hooks/README.md has an example)' +
          (target.tenant === null ? `; ${copyForSalvage(target.named)}` : ''),
      )
    : failure
