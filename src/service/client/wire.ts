/** The admin API call by call: nothing is repeated or judged. The doctor tries with it what a run never asks. */
import type { ServiceSettings } from '../../config/settings.ts'
import { refusal } from './refusal.ts'
import { Transport, type HttpAnswer } from './transport.ts'

export type WireAnswer = HttpAnswer

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below /admin/v1, already percent-encoded. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
  /** In ms, instead of the configured time. */
  readonly timeoutMs?: number
}

const answerBytesMax = 1_048_576

/** The time to drain as a quiesce requests it. The admin API knows no 0, but the configuration does. */
export const requestedDrainMs = (drainTimeoutMs: number): number => Math.max(1, drainTimeoutMs)

export class Wire implements AsyncDisposable {
  readonly #transport: Transport
  /** Time of the slowest answer, in ms. */
  slowestMs = 0

  private constructor(transport: Transport) {
    this.#transport = transport
  }

  /** @param token `none`: every call is made without the token that is configured */
  static async open(
    settings: Extract<ServiceSettings, { kind: 'admin-api' }>,
    token: 'configured' | 'none',
  ): Promise<Wire> {
    return new Wire(await Transport.open(token === 'none' ? { ...settings, tokenFile: null } : settings))
  }

  get timeoutMs(): number {
    return this.#transport.timeoutMs
  }

  /** @throws {Failure} ADMIN_UNREACHABLE, CONTRACT_BROKEN (an answer too large); rejects with the reason of `signal` */
  async ask({ method, path, headers = {}, body, timeoutMs }: Call, signal: AbortSignal): Promise<WireAnswer> {
    const startedAt = performance.now()
    const asked = { method, path, headers, body: body ?? null, timeoutMs: timeoutMs ?? this.timeoutMs, answerBytesMax }
    const reply = await this.#transport.send(asked, signal)
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt)
    if (reply.kind === 'answer') return reply
    throw refusal(`${method} ${path}`, { reply, anyLost: false })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#transport[Symbol.asyncDispose]()
  }
}
