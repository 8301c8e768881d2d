/**
 * The gate: what a Node service embeds so that holdfast can quiesce one tenant at a time (admin API, version 1). It has
 * no dependencies.
 *
 * ```ts
 * import { createServer } from 'node:http'
 * import { createGate } from 'holdfast/gate'
 *
 * const open = new Map()                                     // tenant id → its database handle
 * const database = (id) => open.get(id) ?? open.set(id, new Database(`/srv/notes/${id}.db`)).get(id)
 *
 * const gate = createGate({
 *   service: 'notes', version: '1.0.0', sqliteVersion: '3.54.1',
 *   tenants: () => ids().map((id) => ({ id, files: [`/srv/notes/${id}.db`] })),
 *   close: (id) => { open.get(id)?.close(); open.delete(id) },        // ALL handles of the tenant
 *   open: (id) => { database(id).prepare('select 1').get() },          // throws: the tenant is called unhealthy
 * })
 * await gate.listen('/run/notes/admin.sock')                 // mode 0660; or mount gate.handler, see below
 *
 * createServer(async (request, response) => {
 *   try {
 *     await gate.run(tenantOf(request), () => serve(request, response))  // everything that touches the tenant's files
 *   } catch (error) {
 *     const paused = gate.tenantPaused(error)
 *     if (paused) response.writeHead(paused.status, paused.headers).end(paused.body)
 *     else throw error
 *   }
 * }).listen(8080)
 * setInterval(() => gate.run('acme', () => tidy('acme')), 60_000)         // background jobs are writers too
 * ```
 *
 * Mounts: `createServer(gate.handler)`, Express `app.use(gate.handler)`, Fastify `app.register(gate.fastify)`; over TCP
 * only with a `token` and behind TLS. A health check must stay green while a tenant is quiesced, so it must not go
 * through the gate.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Server } from 'node:http'
import { createFastifyPlugin, type GateFastifyPlugin } from './http/fastify.ts'
import { createHandler, type GateHandler } from './http/handler.ts'
import { listenOnSocket } from './http/listen.ts'
import { IdempotencyKeys } from './idempotency.ts'
import { Leases } from './leases.ts'
import { limitsOf, type GateOptions } from './options.ts'
import { pausedAnswer, type PausedAnswer } from './paused.ts'
import { Registry } from './registry.ts'
import { Tenants, type Serving } from './tenants.ts'
import type { Passage } from './turnstile.ts'

export type { GateFastifyPlugin } from './http/fastify.ts'
export type { GateHandler } from './http/handler.ts'
export type { GateFile, GateLimits, GateOptions, GateTenant } from './options.ts'
export { TenantPaused } from './paused.ts'
export type { PausedAnswer } from './paused.ts'
export type { Passage } from './turnstile.ts'
export type { Serving } from './tenants.ts'

export interface Gate extends AsyncDisposable {
  readonly handler: GateHandler
  readonly fastify: GateFastifyPlugin
  /** Serves the admin API on a unix socket with mode 0660. Closing the server is the caller's. */
  listen(socketPath: string): Promise<Server>
  /**
   * A request or job of the tenant begins. Waits while the tenant is quiesced; call the answer (or `using` it) when the
   * work has ended.
   * @throws {TenantPaused} after `limits.waitMs`. Rejects with the signal's reason.
   */
  enter(tenantId: string, signal?: AbortSignal): Promise<Passage>
  /** enter, work, leave. Work of the same tenant inside the work goes straight in. */
  run<T>(tenantId: string, work: () => T | Promise<T>, signal?: AbortSignal): Promise<T>
  /** The 503 answer when `error` says that the tenant is paused, else null. */
  tenantPaused(error: unknown): PausedAnswer | null
  stateOf(tenantId: string): Serving
  /** Ends every lease and takes the tenants up again: for a service that stops. */
  [Symbol.asyncDispose](): Promise<void>
}

interface Inside {
  readonly tenantId: string
  readonly passage: Passage
  readonly outer: Inside | undefined
}

/** @throws {TypeError} for limits that make no sense */
export function createGate(options: GateOptions): Gate {
  const limits = limitsOf(options)
  const tenants = new Tenants()
  const leases = new Leases(options, limits, tenants)
  const handler = createHandler({
    options,
    limits,
    tenants,
    leases,
    registry: new Registry(options),
    keys: new IdempotencyKeys(),
  })
  const inside = new AsyncLocalStorage<Inside>()

  async function enter(tenantId: string, signal?: AbortSignal): Promise<Passage> {
    const record = tenants.of(tenantId)
    // Waiting for the gate inside a passage of the same tenant would wait for itself.
    if (isInside(inside.getStore(), tenantId)) return record.turnstile.pass()
    return record.turnstile.enter(limits, () => leases.retryAfterSeconds(record), signal)
  }

  return {
    handler,
    fastify: createFastifyPlugin(handler),
    listen: (socketPath) => listenOnSocket(handler, socketPath),
    enter,
    async run(tenantId, work, signal) {
      const passage = await enter(tenantId, signal)
      try {
        return await inside.run({ tenantId, passage, outer: inside.getStore() }, work)
      } finally {
        passage()
      }
    },
    tenantPaused: pausedAnswer,
    stateOf: (tenantId) => tenants.servingOf(tenantId),
    [Symbol.asyncDispose]: () => leases.shutdown(),
  }
}

/** Only while the outer work still runs: what it left running behind its back must queue like anybody. */
function isInside(at: Inside | undefined, tenantId: string): boolean {
  for (let place = at; place; place = place.outer) if (place.tenantId === tenantId && place.passage.inside) return true
  return false
}
