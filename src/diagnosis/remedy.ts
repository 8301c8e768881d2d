/** What will mend the damage (diagnosis/README.md, table of remedies). These are plans: a rehearsal tries them. */

import type { Finding } from '../model/result/finding.ts'
import type { CheckDepth } from '../model/result/reading.ts'
import type { Remedy } from '../model/result/verdict.ts'
import { targetWords, tenantWord } from '../text/shell-words.ts'
import type { DiagnosisContext } from './context.ts'
import type { SchemaView } from './messages/schema-view.ts'
import { whyNotRebuild, whyRebuild } from './remedy-words.ts'
import { classOf } from './weigh/weigh.ts'
import type { DamageAssessment } from './weigh/weigh.ts'

export interface OpenQuestions {
  /** Clauses about parts that had to be read and were not. Damage in them would change the remedy. */
  readonly unread: readonly string[]
  /** The depth of the check. */
  readonly depth: CheckDepth
}

/** What a remedy needs to know of a file. */
type RemedyContext = Pick<DiagnosisContext, 'tenant' | 'path' | 'verifiedBackup'>

export function remedyFor(
  damage: readonly Finding[],
  weighed: DamageAssessment,
  unsettled: OpenQuestions,
  context: DiagnosisContext,
  schema: SchemaView,
): Remedy {
  if (unsettled.depth === 'sample') return checkWhole(context)
  const classes = new Set(damage.map((finding) => classOf(finding, schema)))
  const indexes = distinct(damage.filter(({ object }) => object.kind === 'index').map(({ object }) => object.name))
  const lost = damage.filter(({ rule }) => rule === 'tree-unowned')
  const others = damage.filter(({ rule }) => rule !== 'tree-unowned')
  // The leaked pages are all that is left of it: neither a rewrite nor an older backup may lose them unseen.
  if (lost.length > 0 && others.every((finding) => classOf(finding, schema) === 'structure'))
    return askPerson(
      'a table may have been lost from the schema, and a rewrite of the file would lose its rows: salvage keeps them',
      context,
    )
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
    return {
      ...rebuild(
        [],
        'only the page accounting is damaged: a rewrite of the file mends it and keeps every row and rowid',
        context,
      ),
      rewrite: true,
    }
  }
  const full = distinct(
    damage.filter((finding) => classOf(finding, schema) === 'fts').map(({ object }) => object.name),
  ).map((name) => ({ name, source: schema.textOf(name) }))
  const contentless = full.filter(({ source }) => source === null)
  if (contentless.length > 0) {
    return restoreOrAsk(
      `${contentless.map(({ name }) => name).join(', ')} stores no text, and names no table that has it ` +
        '(contentless): only the service can index its texts again',
      context,
    )
  }
  const unknown = damage.filter(({ object }) => object.kind === 'index' && schema.named(object.name)?.kind !== 'index')
  if (unknown.length > 0) return restoreOrAsk('an index that the schema does not name is damaged', context)
  const fts = full.flatMap(({ name, source }) => (source === null ? [] : [{ name, source }]))
  return {
    ...rebuild(indexes, whyRebuild(indexes, fts, weighed.causes, unsettled.depth), context),
    ...(fts.length > 0 ? { fts } : {}),
  }
}

/** Nothing may be mended because of a part. */
const checkWhole = ({ tenant, path }: RemedyContext): Remedy => ({
  do: 'ask',
  indexes: [],
  rehearsed: false,
  why: 'only a sample of the pages was read: a full check shows all damage, and what will mend it',
  command: `holdfast check ${targetWords(tenant, path)}`,
})

const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)].toSorted()

/** Nothing to mend, or it is not known: `why`, and the command that shows more. */
export function nothingToMend(why: string, command: string | null): Remedy {
  return { do: 'nothing', indexes: [], rehearsed: false, why, command }
}

function rebuild(indexes: readonly string[], why: string, { tenant, path }: RemedyContext): Remedy {
  return { do: 'rebuild', indexes, rehearsed: false, why, command: `holdfast repair ${targetWords(tenant, path)}` }
}

/**
 * A rebuild after its rehearsal.
 *
 * @param refused why it did not mend the copy, a clause; null if the copy was sound
 */
export function afterRehearsal(remedy: Remedy, refused: string | null, context: RemedyContext): Remedy {
  if (refused !== null)
    return restoreOrAsk(`a rebuild was tried on a copy, and does not mend the file: ${refused}`, context)
  return { ...remedy, rehearsed: true, command: `${remedy.command} --apply` }
}

/** For damage that a rebuild cannot mend. @param why a clause */
export function restoreOrAsk(why: string, context: RemedyContext): Remedy {
  if (context.verifiedBackup && context.tenant !== null) {
    return {
      do: 'restore',
      indexes: [],
      rehearsed: false,
      why: `${why}; a verified backup exists`,
      command: `holdfast restore ${targetWords(context.tenant, context.path)}`,
    }
  }
  const named = context.tenant === null ? ' name one to `holdfast restore` (--backups DIR or --from FILE), or' : ''
  return askPerson(
    `${why}; no verified backup is known:${named} salvage what is readable, and let a person decide`,
    context,
  )
}

/** A person decides. The next step brings a copy, or salvages what a file that no program uses still holds. */
function askPerson(why: string, { tenant, path }: RemedyContext): Remedy {
  const command =
    tenant === null
      ? `holdfast salvage ${targetWords(null, path)} --to ${targetWords(null, `${path}.salvaged`)}`
      : `holdfast pull ${tenantWord(tenant)} ./pulled`
  return { do: 'ask', indexes: [], rehearsed: false, why, command }
}
