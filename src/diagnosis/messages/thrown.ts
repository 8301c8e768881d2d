/** What an error of SQLite or a dead child says: damage if SQLite reports it, otherwise a part that was not read. */

import type { Fact } from '../../model/result/reading.ts'
import { observe } from './observation.ts'
import type { Observation } from './observation.ts'
import { theFile, theSchema } from './schema-view.ts'
import type { SchemaView } from './schema-view.ts'

type ThrowFact = Extract<Fact, { kind: 'thrown' }>
type ChildEndFact = Extract<Fact, { kind: 'child-ended' }>

/** A part that was not read, and why. */
export interface UnreadObject {
  readonly what: string
  readonly why: string
}

export type ThrownMeaning =
  | { readonly kind: 'damage'; readonly observation: Observation }
  | { readonly kind: 'unread'; readonly unread: UnreadObject }

export function readThrown(thrown: ThrowFact, schema: SchemaView): ThrownMeaning {
  if (missingPart.test(thrown.text) || thrown.code === 'SQLITE_ERROR_MISSING_COLLSEQ') return unread(thrown)
  if (thrown.text.startsWith('malformed database schema'))
    return damage(observe('schema-unreadable', theSchema, { detail: thrown.text }))
  if (thrown.code === 'SQLITE_NOTADB') return damage(observe('not-a-database', theFile, { detail: thrown.text }))
  if (/^SQLITE_CORRUPT(?:_|$)/.test(thrown.code)) return damage(readCorrupt(thrown, schema))
  return unread(thrown)
}

/** A child died because of the file or because of the machine. It is not known which, so this alone is never damage. */
export function readChildEnd(ended: ChildEndFact): Observation {
  const rule = ended.how === 'timeout' ? 'check-timeout' : 'checker-crashed'
  const how = {
    crashed: 'died',
    killed: 'was killed from outside',
    timeout: 'exceeded its time limit',
    memory: 'exceeded its memory limit',
  }[ended.how]
  return observe(rule, theFile, {
    bearing: 'unread',
    detail: `the checker ${how} during ${ended.during}${ended.detail === '' ? '' : ` (${ended.detail})`}`,
  })
}

/**
 * Parts of the application that a checker does not have. Damage elsewhere is still found; this object is not
 * understood.
 */
const missingPart = /\b(?:no such|unknown) (?:collation|function|module|tokenizer)\b/i

/** A clause for a step that is a phrase, or for the name of a pragma. */
const whileIt = (during: string): string =>
  during === 'reading the schema'
    ? 'while it read the schema'
    : during === 'counting rows'
      ? 'while it counted rows'
      : `during ${during}`

function readCorrupt(thrown: ThrowFact, schema: SchemaView): Observation {
  const detail = `SQLite stopped ${whileIt(thrown.during)}: ${thrown.text}`
  const object =
    thrown.object === null
      ? theFile
      : (schema.named(thrown.object) ?? { kind: 'table', name: thrown.object, table: thrown.object })
  if (object.kind === 'fts') return observe('fts-broken', object, { detail })
  if (object.kind === 'rtree') return observe('rtree-broken', object, { detail })
  if (object.kind === 'schema' || thrown.during.includes('the schema'))
    return observe('schema-unreadable', theSchema, { detail })
  return observe('page-unreadable', object, { detail })
}

const damage = (observation: Observation): ThrownMeaning => ({ kind: 'damage', observation })
const unread = (thrown: ThrowFact): ThrownMeaning => ({
  kind: 'unread',
  unread: { what: thrown.object ?? thrown.during, why: `${thrown.text} (${thrown.code})` },
})
