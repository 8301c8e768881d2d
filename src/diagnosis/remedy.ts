/** What will mend the damage (diagnosis/README.md, table of remedies). These are plans: none has been rehearsed. */

import type { DamageClass, Finding } from '../model/result/finding.ts'
import type { Remedy } from '../model/result/verdict.ts'
import { count } from '../text/count.ts'
import { target } from '../text/shell-words.ts'
import type { DiagnosisContext } from './context.ts'
import type { SchemaView } from './messages/schema-view.ts'
import { classOf } from './weigh.ts'
import type { DamageAssessment } from './weigh.ts'

export interface OpenQuestions {
  /** Clauses about parts that had to be read and were not. Damage in them would change the remedy. */
  readonly unread: readonly string[]
  /** The depth of the check. */
  readonly depth: 'quick' | 'full'
}

export function remedyFor(
  damage: readonly Finding[],
  weighed: DamageAssessment,
  unsettled: OpenQuestions,
  context: DiagnosisContext,
  schema: SchemaView,
): Remedy {
  const classes = new Set(damage.map((finding) => classOf(finding, schema)))
  const indexes = [
    ...new Set(damage.filter(({ object }) => object.kind === 'index').map(({ object }) => object.name)),
  ].toSorted()
  if (weighed.damage === 'table' || weighed.damage === 'schema' || weighed.damage === 'file')
    return restoreOrAsk(whyNotRebuild(damage, weighed), context)
  if (unsettled.unread.length > 0)
    return restoreOrAsk(
      `a rebuild would mend what was found, but not everything was read (${unsettled.unread.join('; ')})`,
      context,
    )
  if (weighed.damage === 'structure') {
    if (classes.size > 1)
      return restoreOrAsk(
        'pages are lost or misplaced and an index is damaged as well: together they point to lost writes',
        context,
      )
    return rebuild(
      [],
      'only the page accounting is damaged: a rewrite of the file mends it and keeps every row',
      context,
    )
  }
  const full = [
    ...new Set(damage.filter((finding) => classOf(finding, schema) === 'fts').map(({ object }) => object.name)),
  ].toSorted()
  const contentless = full.filter((name) => !schema.keepsContent(name))
  if (contentless.length > 0) {
    return restoreOrAsk(
      `${contentless.join(', ')} stores no text itself: its index can be ` +
        'rebuilt only if another table has the text',
      context,
    )
  }
  const unknown = damage.filter(({ object }) => object.kind === 'index' && schema.named(object.name)?.kind !== 'index')
  if (unknown.length > 0) return restoreOrAsk('an index that the schema does not name is damaged', context)
  return rebuild(indexes, whyRebuild(indexes, full, weighed, unsettled), context)
}

/** Nothing to mend, or it is not known: `why`, and the command that shows more. */
export function nothingToMend(why: string, command: string | null): Remedy {
  return { do: 'nothing', indexes: [], rehearsed: false, why, command }
}

function rebuild(indexes: readonly string[], why: string, context: DiagnosisContext): Remedy {
  return {
    do: 'rebuild',
    indexes,
    rehearsed: false,
    why,
    command: `holdfast repair ${target(context.tenant, context.path)}`,
  }
}

function restoreOrAsk(why: string, context: DiagnosisContext): Remedy {
  if (context.verifiedBackup && context.tenant !== null) {
    return {
      do: 'restore',
      indexes: [],
      rehearsed: false,
      why: `${why}; a verified backup exists`,
      command: `holdfast restore ${target(context.tenant, context.path)}`,
    }
  }
  return {
    do: 'ask',
    indexes: [],
    rehearsed: false,
    why: `${why}; no verified backup is known: salvage what is readable, and let a person decide`,
    command: `holdfast repair ${target(context.tenant, context.path)}`,
  }
}

function whyNotRebuild(damage: readonly Finding[], weighed: DamageAssessment): string {
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

function whyRebuild(
  indexes: readonly string[],
  full: readonly string[],
  weighed: DamageAssessment,
  unsettled: OpenQuestions,
): string {
  const parts = [
    ...(indexes.length > 0
      ? [
          `${count(indexes.length, 'index', 'indexes')} (${few(indexes)}) can be rebuilt from ` +
            (indexes.length === 1 ? 'its table' : 'their tables'),
        ]
      : []),
    ...(full.length > 0
      ? [
          `the full-text ${full.length === 1 ? 'index' : 'indexes'} ${few(full)} can be rebuilt from ` +
            `${full.length === 1 ? 'its' : 'their'} content`,
        ]
      : []),
  ]
  const [first = ''] = full
  const text =
    full.length === 0
      ? ''
      : '; the text may be wrong instead: check it first, because the ' +
        `rebuild (${rebuildCommand(first)}) uses it as it is now`
  const doubt = weighed.causes.some(({ hint }) => hint === 'index-or-table')
    ? '; a rebuild drops entries that may be all that is left of a row: keep a copy of the file first'
    : ''
  const depth =
    unsettled.depth === 'quick' ? '; a quick check does not compare rows with entries: the rehearsal does' : ''
  return `${parts.join(', and ')}, once a rehearsal on a copy was sound${text}${doubt}${depth}`
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
