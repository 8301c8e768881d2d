/** Why a remedy helps, or why a rebuild does not. */

import type { Cause, DamageClass, Finding } from '../model/result/finding.ts'
import type { CheckDepth } from '../model/result/reading.ts'
import type { Remedy } from '../model/result/verdict.ts'
import { count } from '../text/count.ts'
import type { DamageAssessment } from './weigh/weigh.ts'

/** A clause. */
export function whyNotRebuild(damage: readonly Finding[], weighed: DamageAssessment): string {
  if (weighed.suspects.length > 0)
    return (
      `the table ${weighed.suspects.join(', ')} itself may be wrong: a rebuild of its indexes would make the ` +
      `loss permanent`
    )
  if (damage.some(({ rule }) => rule === 'content-changed-silently'))
    return 'bytes changed although nothing wrote to the file, and a rebuild cannot restore them: suspect the disk'
  if (damage.some(({ rule }) => rule === 'unique-violated'))
    return 'a unique index cannot be rebuilt while its table holds the same key more than once'
  if (damage.some(({ rule }) => rule === 'page-used-twice'))
    return 'two owners use one page, and what one of them wrote is lost'
  const places: Record<DamageClass, string> = {
    none: 'nothing is damaged',
    index: 'an index is damaged',
    fts: 'a full-text index is damaged',
    structure: 'the page accounting is damaged',
    table: 'rows are damaged, and a rebuild cannot restore them',
    schema: 'the schema is damaged',
    file: 'the file itself is damaged',
  }
  return places[weighed.damage]
}

/** @param fts full-text indexes to rebuild */
export function whyRebuild(
  indexes: readonly string[],
  fts: NonNullable<Remedy['fts']>,
  causes: readonly Cause[],
  depth: CheckDepth,
): string {
  const parts = [
    ...(indexes.length > 0
      ? [
          `${count(indexes.length, 'index', 'indexes')} (${few(indexes)}) can be rebuilt from ` +
            (indexes.length === 1 ? 'its table' : 'their tables'),
        ]
      : []),
    ...(fts.length > 0
      ? [
          `the full-text ${fts.length === 1 ? 'index' : 'indexes'} ${few(fts.map(({ name }) => name))} can be ` +
            `rebuilt from the text in ${few([...new Set(fts.map(({ source }) => source))])}`,
        ]
      : []),
  ]
  const [first] = fts
  const text =
    first === undefined
      ? ''
      : `; the text may be wrong instead: check it first, because the rebuild (${rebuildCommand(first.name)}) uses ` +
        'it as it is now'
  const doubt = causes.some(({ hint }) => hint === 'index-or-table')
    ? '; a rebuild drops entries that may be all that is left of a row: the account of the repair keeps them'
    : ''
  const unseen = depth === 'quick' ? '; a quick check does not compare rows with entries: the rehearsal does' : ''
  return `${parts.join(', and ')}${text}${doubt}${unseen}`
}

/** REINDEX does nothing for a full-text index. */
const rebuildCommand = (name: string): string => {
  const quoted = `"${name.replaceAll('"', '""')}"`
  return `INSERT INTO ${quoted}(${quoted}) VALUES('rebuild')`
}

const namesMax = 5
const few = (names: readonly string[]): string =>
  names.length > namesMax
    ? `${names.slice(0, namesMax).join(', ')} and ${names.length - namesMax} more`
    : names.join(', ')
