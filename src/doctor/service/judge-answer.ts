/** Is an answer the one that the contract asks for? Said in words that name what came instead. */

import { isDeepStrictEqual } from 'node:util'
import type { WireAnswer } from '../../service/client/wire.ts'

/** What is wrong with a refusal; null when it is the one that was expected. */
export function wrongRefusal(said: WireAnswer, status: number, name: string): string | null {
  if (said.status !== status) return `it was answered ${describeAnswer(said)}, not ${status} ${name}`
  return (
    wrongForm(said) ??
    (nameOf(said) === name ? null : `the type of its problem document ends in ${nameOf(said)}, not in ${name}`)
  )
}

/** Is it a problem document (RFC 9457) with its type, its title and its status? */
export function wrongForm({ status, contentType, json }: WireAnswer): string | null {
  if (!(contentType ?? '').toLowerCase().startsWith('application/problem+json'))
    return `its content type is ${contentType ?? 'not given'}, not application/problem+json`
  const document = (json ?? {}) as Partial<Record<string, unknown>>
  if (typeof document['type'] !== 'string' || document['type'] === '') return 'its problem document has no type'
  if (typeof document['title'] !== 'string') return 'its problem document has no title'
  return document['status'] === status ? null : 'its problem document has another status than the answer'
}

/** The words of an answer for a person: `409 already-quiesced`, `201`. */
export function describeAnswer(said: WireAnswer): string {
  return [String(said.status), said.status < 400 ? '' : nameOf(said)].filter(Boolean).join(' ')
}

/** By its own word the service did nothing. */
export const isRefusal = ({ status }: WireAnswer): boolean => status >= 400 && status < 500

/** Refused for now: that says nothing against the service. */
export const isRefusedForNow = ({ status }: WireAnswer): boolean => status === 423 || status === 429 || status === 503

export const isSame = (one: WireAnswer, other: WireAnswer): boolean =>
  one.status === other.status && isDeepStrictEqual(one.json, other.json)

/** A number among the fields of an answer; null where there is none. */
export function numberIn(said: WireAnswer, field: string): number | null {
  const value = ((said.json ?? {}) as Partial<Record<string, unknown>>)[field]
  return typeof value === 'number' ? value : null
}

function nameOf({ json }: WireAnswer): string {
  const { type } = (json ?? {}) as { readonly type?: unknown }
  return typeof type === 'string' ? (type.split(/[/:#]/).at(-1) ?? '') : ''
}
