/**
 * Describes what recovery did before a check: which companion, how many pages, how old it was, and the file without it.
 */

import { nameCompanion } from '../../diagnosis/recovery.ts'
import type { Recovery } from '../../model/result/recovery.ts'
import type { Result } from '../../model/result/report.ts'
import { count } from '../../text/count.ts'
import { wrapIndented, wrap } from '../../text/layout.ts'
import { humanBytes, humanMs } from '../../text/units.ts'
import { legibleName } from './legible.ts'
import type { TextOptions } from './result-words.ts'

/** Sentences about the recovery; none if nothing was recovered. */
export function recoveryOf({ recovery, path }: Pick<Result, 'recovery' | 'path'>): readonly string[] {
  if (recovery === undefined) return []
  const { companions, pagesChanged, without } = recovery
  return [
    ...companions.map(
      (companion) =>
        `${nameCompanion(companion)} ${legibleName(path + companion.part)} ` +
        `(${[humanBytes(companion.bytes), ...ageOf(companion)].join(', ')}) ${companionWords[companion.did]}`,
    ),
    ...(pagesChanged === null ? [] : [`this changed ${count(pagesChanged, 'page')}`]),
    ...(without === null ? [] : [withoutIt(without)]),
  ]
}

const companionWords = {
  replayed: 'was replayed into the file first',
  'rolled-back': 'was rolled back into the file first',
  ignored: 'lies beside the file: SQLite deletes it unread when it opens the file',
}

function ageOf({ modifiedAt, fileNewerByMs }: Recovery['companions'][number]): readonly string[] {
  if (modifiedAt === null) return []
  const written = `last written ${modifiedAt.slice(0, 19).replace('T', ' ')} UTC`
  if (fileNewerByMs === null || Math.abs(fileNewerByMs) < 1000) return [written]
  return [written, `${humanMs(Math.abs(fileNewerByMs))} ${fileNewerByMs > 0 ? 'before' : 'after'} the file`]
}

function withoutIt({ verdict, damage, findingsTotal, tables }: NonNullable<Recovery['without']>): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const what = verdict === 'damaged' ? `damaged too (${damage}, ${count(findingsTotal, 'finding')})` : verdict
  const holds = tables.length === 0 ? '' : `, with ${count(rows, 'row')} in ${count(tables.length, 'table')}`
  return `without it the file is ${what}${holds}`
}

const listedMax = 10

/** Sound results after a recovery. The WAL of a program at work is reported only with --verbose. */
export function describeRecoveries(results: readonly Result[], options: TextOptions): readonly string[] {
  const reported = results.filter(
    ({ verdict, tenant, recovery, evidence }) =>
      verdict === 'sound' &&
      recovery !== undefined &&
      (options.verbose ||
        (tenant === null && evidence.level !== 'pinned') ||
        recovery.companions.some(({ part }) => part === '-journal')),
  )
  if (reported.length === 0) return []
  const shown = options.verbose ? reported : reported.slice(0, listedMax)
  return [
    '',
    ...wrap('Recovered before the check, as SQLite does when it opens the file:', options.width),
    ...shown.flatMap((result) =>
      wrapIndented(`${legibleName(result.tenant ?? result.path)}: ${recoveryOf(result).join('; ')}`, options),
    ),
    ...(shown.length < reported.length
      ? wrapIndented(`${reported.length - shown.length} more; --verbose shows all`, options)
      : []),
  ]
}
