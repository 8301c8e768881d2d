/**
 * Errors of the admin API. Each is answered as application/problem+json (RFC 9457), and named by the last segment of
 * its type.
 */

const kinds = {
  'invalid-request': [400, 'The request does not fit the contract'],
  'unknown-field': [400, 'The request has a field that this service does not know'],
  'idempotency-key-missing': [400, 'Quiesce needs an Idempotency-Key'],
  auth: [401, 'No valid token'],
  scope: [403, 'The token does not allow this'],
  'tenant-unknown': [404, 'There is no such tenant'],
  'not-found': [404, 'There is no such call'],
  'method-not-allowed': [405, 'This call has other methods'],
  'caller-gone': [408, 'Nobody waits for the answer any more'],
  'request-timeout': [408, 'The request was not finished in time'],
  'already-quiesced': [409, 'Somebody else has this tenant quiesced'],
  'fence-mismatch': [409, 'The fence is not that of this lease'],
  'in-progress': [409, 'A request with this Idempotency-Key is still being worked on'],
  'lease-expired': [410, 'The lease has ended'],
  'body-too-large': [413, 'The body is too large'],
  'not-json': [415, 'The body is not JSON'],
  'idempotency-key-reused': [422, 'The Idempotency-Key was used for another request'],
  'tenant-busy': [423, 'The tenant cannot be quiesced now'],
  'quiesce-limit': [429, 'The limit of quiesced tenants is reached'],
  'quiesce-failed': [500, 'The tenant could not be quiesced and is active again'],
  internal: [500, 'The gate failed'],
  'drain-timeout': [503, 'Requests of this tenant did not end in time'],
  starting: [503, 'The service is not ready yet'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemKind = keyof typeof kinds

interface ProblemExtra {
  /** Members of the problem document besides those of RFC 9457. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown inside the gate and answered at its edge. The application never sees it. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>

  constructor(kind: ProblemKind, detail: string, extra: ProblemExtra = {}) {
    super(detail)
    const [status, title] = kinds[kind]
    this.status = status
    this.headers = extra.headers ?? {}
    this.body = { type: `urn:holdfast:problem:${kind}`, title, status, detail, ...extra.members }
  }
}

/** Retry-After in whole seconds, at least one. */
export const retryAfter = (ms: number): Readonly<Record<string, string>> => ({
  'retry-after': String(Math.max(1, Math.ceil(ms / 1000))),
})

/** No request waits for the answer any more. */
export const callerGone = (): Problem =>
  new Problem('caller-gone', 'the connection of this request was closed before the tenant was quiesced', {
    members: { state: 'active' },
  })

/** The service ends its leases because it stops, and grants no other. */
export const serviceStops = (): Problem =>
  new Problem('starting', 'the service is stopping', { headers: retryAfter(5000) })

/** A bounded text for any thrown value, without its stack, which is not for callers. */
export function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
  return text.slice(0, 500)
}
