/**
 * One request to an address of `alerts`, without more of it in any message than its host. The answer's text is not
 * read: it could hold what was sent. Loaded with the first alarm.
 */

import { inWords, isSystemError } from '../../host/failures/system-failure.ts'
import { count } from '../../text/count.ts'
import type { SinkAnswer } from './sink-answer.ts'

/** How long one attempt may take, from the connection to the head of the answer. */
const answerWithinMs = 10_000

/**
 * Sends a request, and follows no redirect: it may lead to another host, which would get the alarm.
 * @param signal ends the attempt
 */
export async function sendByWeb(
  url: string,
  { method, body }: { readonly method: 'GET' | 'POST'; readonly body?: string },
  signal: AbortSignal,
): Promise<SinkAnswer> {
  const limit = AbortSignal.timeout(answerWithinMs)
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.any([signal, limit]),
      headers: { 'user-agent': 'holdfast', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
    })
    await response.body?.cancel().catch(() => undefined)
    return judge(response)
  } catch (error) {
    if (limit.aborted) return failedAnswer(`it did not answer within ${count(answerWithinMs / 1000, 'second')}`)
    if (signal.aborted) return failedAnswer('it did not answer in time')
    return failedAnswer(whyOf(error))
  }
}

function judge({ status, ok, headers }: Response): SinkAnswer {
  if (ok) return { ok: true }
  if (status < 300 || status >= 400) return failedAnswer(`it answered with status ${status}`)
  const host = URL.parse(headers.get('location') ?? '')?.host
  const where = host === undefined || host === '' ? '' : ` to ${host}`
  return failedAnswer(`it redirects${where} (status ${status}), which is not followed: configure the new address`)
}

const failedAnswer = (why: string): SinkAnswer => ({ ok: false, why })

/** Only codes are used: a message may quote the address. */
function whyOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  if (isSystemError(cause)) return `no connection: ${inWords(cause)}`
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (cause instanceof Error && cause.name === 'HTTPParserError') return 'its answer is not HTTP'
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)) return `its certificate is not trusted (${code})`
  return words[code] ?? (/^[A-Z_]{1,60}$/.test(code) ? `no answer (${code})` : 'no answer')
}

const words: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: 'it closed the connection without an answer',
  UND_ERR_CONNECT_TIMEOUT: 'it did not take the connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_HEADERS_OVERFLOW: 'the head of its answer is too long',
  ERR_INVALID_URL: 'this is no address',
}
