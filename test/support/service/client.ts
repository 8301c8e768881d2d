import { tenantId } from '../../../src/model/brand.ts'
import { Failure } from '../../../src/model/failure.ts'
import { connectService, type ServiceSettings } from '../../../src/service/connect.ts'
import type { QuiesceAnswer, Service } from '../../../src/service/port.ts'

export const settingsFor = (
  socket: string,
  more: Partial<Extract<ServiceSettings, { kind: 'admin-api' }>> = {},
): ServiceSettings => ({
  kind: 'admin-api',
  name: 'test',
  endpoint: { kind: 'unix', socket },
  tokenFile: null,
  caFile: null,
  requestTimeoutMs: 1_000,
  ...more,
})

export const connect = (
  socket: string,
  more: Partial<Extract<ServiceSettings, { kind: 'admin-api' }>> = {},
): Promise<Service> => connectService(settingsFor(socket, more))

export const acme = tenantId('acme')
export const forever: AbortSignal = new AbortController().signal
export const request = { holder: 'hold-1', reason: 'test', ttlMs: 5_000, maxHoldMs: 10_000, drainTimeoutMs: 300 }
export const aLease: QuiesceAnswer = {
  tenant: acme,
  holder: 'hold-1',
  leaseId: 'lease-1',
  fence: 1,
  bootId: 'boot-1',
  expiresInMs: 5_000,
  openHandles: 0,
  files: [],
  sqliteVersion: null,
  via: 'admin-api',
}

/** The Failure that a call ends in; anything else it does is an error of the test. */
export async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const thrown = await call.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  )
  if (thrown instanceof Failure) return thrown
  throw thrown instanceof Error ? thrown : new Error(String(thrown))
}

export const shortOf = async (call: Promise<unknown>): Promise<string> => {
  const { code, tenantState } = await failureOf(call)
  return `${code} ${tenantState}`
}
