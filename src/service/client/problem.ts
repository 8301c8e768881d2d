/** The problem document of a refusal: application/problem+json (RFC 9457). Its name is the last segment of its type. */
import * as z from 'zod/mini'
import { quoteText } from '../quote-text.ts'
import type { HttpAnswer } from './transport.ts'

/** A member that does not fit is ignored; the others count. */
const text = z.catch(z.optional(z.string()), undefined)
const problemSchema = z.object({
  type: text,
  title: text,
  detail: text,
  state: text,
  endedBy: text,
  bootId: text,
  heldMs: z.catch(z.optional(z.number().check(z.nonnegative())), undefined),
})

export interface ServiceProblem {
  readonly status: number
  /** Last segment of the type; '' if there is none. */
  readonly name: string
  readonly detail: string
  readonly state: string | null
  readonly endedBy: string | null
  readonly heldMs: number | null
  readonly bootId: string | null
}

export function problemOf(answer: HttpAnswer): ServiceProblem {
  const read = problemSchema.safeParse(answer.json)
  const given = read.success ? read.data : {}
  return {
    status: answer.status,
    name: given.type?.split(/[/:#]/).at(-1) ?? '',
    detail: quoteText(given.detail ?? given.title ?? ''),
    state: given.state ?? null,
    endedBy: given.endedBy ?? null,
    heldMs: given.heldMs ?? null,
    bootId: given.bootId ?? null,
  }
}

/** `503 drain-timeout: two requests …`, for messages. */
export const describeProblem = ({ status, name, detail }: ServiceProblem): string =>
  [[status, name].filter(Boolean).join(' '), detail].filter(Boolean).join(': ')
