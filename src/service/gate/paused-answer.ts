/**
 * Thrown to a request whose tenant stays quiesced longer than a request may wait. Express and Fastify answer it without
 * more code: 503 with Retry-After.
 */
export class TenantPaused extends Error {
  override readonly name = 'TenantPaused'
  readonly status = 503
  readonly statusCode = 503
  readonly expose = true
  readonly tenantId: string
  /** In seconds. */
  readonly retryAfter: number
  readonly headers: Readonly<Record<string, string>>

  constructor(tenantId: string, retryAfter: number) {
    super('this tenant is paused for a moment')
    this.tenantId = tenantId
    this.retryAfter = retryAfter
    this.headers = { 'retry-after': String(retryAfter) }
  }
}

export interface PausedAnswer {
  readonly status: 503
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The answer for a request of a paused tenant; null for any other error. */
export function pausedAnswer(error: unknown): PausedAnswer | null {
  if (!(error instanceof TenantPaused)) return null
  return {
    status: 503,
    headers: { ...error.headers, 'content-type': 'application/problem+json' },
    body: JSON.stringify({
      type: 'urn:holdfast:problem:tenant-paused',
      title: 'Paused for a moment',
      status: 503,
      detail: error.message,
    }),
  }
}
