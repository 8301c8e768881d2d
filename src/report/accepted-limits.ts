/** What was not read of sound files because the configuration accepts it (`check.accept`). */

import type { Result } from '../model/result/report.ts'
import type { SkippedObject } from '../model/result/verdict.ts'
import { count } from '../text/count.ts'
import { wrapIndented, wrap } from '../text/layout.ts'
import { legibleName } from './text/legible.ts'
import type { TextOptions } from './text/result-words.ts'

/** Files beyond this are counted. */
const filesShownMax = 10
/** Objects of one file that are named. */
const objectsShownMax = 3

export const acceptedObjects = ({ coverage }: Pick<Result, 'coverage'>): readonly SkippedObject[] =>
  coverage.skipped.filter(({ accepted }) => accepted === true)

/** Nothing if all was read, or if a result is not sound: its own part of the report then lists what was not read. */
export function describeAccepted(results: readonly Result[], options: TextOptions): readonly string[] {
  const files = results.filter((result) => result.verdict === 'sound' && acceptedObjects(result).length > 0)
  if (files.length === 0) return []
  const shown = options.verbose ? files : files.slice(0, filesShownMax)
  return [
    '',
    ...wrap('Not read, and accepted by check.accept:', options.width),
    ...shown.flatMap((result) => wrapIndented(lineOf(result, options), options)),
    ...(shown.length < files.length
      ? wrapIndented(`${count(files.length - shown.length, 'more file')}; --verbose shows all`, options)
      : []),
    ...unnamedLines(files, options),
  ]
}

/** `newer-sqlite` without objects. */
function unnamedLines(files: readonly Result[], options: TextOptions): readonly string[] {
  const names = files
    .filter((result) => acceptedObjects(result).some(({ acceptedUnnamed }) => acceptedUnnamed === true))
    .map(({ tenant, path }) => legibleName(tenant ?? path))
  if (names.length === 0) return []
  const shown = options.verbose ? names : names.slice(0, filesShownMax)
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : ''
  return wrap(
    `NOT SURE: newer-sqlite is accepted without objects. The schema of ${shown.join(', ')}${more} may be damaged ` +
      'instead, and nothing here can tell. Name the objects in check.accept.',
    options.width,
  )
}

function lineOf(result: Result, { verbose }: TextOptions): string {
  // One object may lack several things for one reason.
  const names = [
    ...new Set(acceptedObjects(result).map(({ object, limit }) => `${legibleName(object)} (${limit ?? ''})`)),
  ]
  const named = verbose ? names : names.slice(0, objectsShownMax)
  const more = names.length > named.length ? ` and ${names.length - named.length} more` : ''
  return `${legibleName(result.tenant ?? result.path)}: ${named.join(', ')}${more}`
}
