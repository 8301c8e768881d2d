/** Compares an answer with the one that the contract asks for, and says in words what came instead. */

import { isDeepStrictEqual } from 'node:util'
import type { WireAnswer } from '../../service/client/wire.ts'

/** @returns what is wrong with a refusal; null if it is the expected one */
export function wrongRefusal(said: WireAnswer, status: number, name: string): string | null {
  if (said.status !== status) return `it was answered ${describeAnswer(said)}, not ${status} ${name}`
  return (
    wrongForm(said) ??
    (nameOf(said) === name ? null : `the type of its problem document ends in ${nameOf(said)}, not in ${name}`)
  )
}

/** @returns why it is no problem document (RFC 9457) with type, title and status; null if it is one */
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

/** The service says that it did nothing. */
export const isRefusal = ({ status }: WireAnswer): boolean => status >= 400 && status < 500

/** Refused for the moment: the contract allows that. */
export const isRefusedForNow = ({ status }: WireAnswer): boolean => status === 423 || status === 429 || status === 503

export const isSame = (one: WireAnswer, other: WireAnswer): boolean =>
  one.status === other.status && isDeepStrictEqual(one.json, other.json)

/** A field of an answer that is a number; null if it is none. */
export function numberIn(said: WireAnswer, field: string): number | null {
  const value = ((said.json ?? {}) as Partial<Record<string, unknown>>)[field]
  return typeof value === 'number' ? value : null
}

function nameOf({ json }: WireAnswer): string {
  const { type } = (json ?? {}) as { readonly type?: unknown }
  return typeof type === 'string' ? (type.split(/[/:#]/).at(-1) ?? '') : ''
}
