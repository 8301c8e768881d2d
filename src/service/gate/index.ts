/**
 * The gate: the library that a Node service embeds to answer the admin API, version 1 (admin-api.yaml). Through it
 * holdfast can quiesce one tenant at a time. The gate has no dependencies.
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
 *   open: (id) => { database(id).prepare('select 1').get() },          // if it throws, the tenant is unhealthy
 * })
 * await gate.listen('/run/notes/admin.sock')                 // mode 0660. Or mount gate.handler, see below
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
 * Mount it with `createServer(gate.handler)`, in Express with `app.use(gate.handler)`, or in Fastify with
 * `app.register(gate.fastify)`. Over TCP, mount it only with a `token` and behind TLS.
 *
 * A health check must stay green while a tenant is quiesced, so it must not go through the gate.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Server } from 'node:http'
import { createFastifyPlugin, type GateFastifyPlugin } from './http/fastify.ts'
import { createHandler, type GateHandler } from './http/handler.ts'
import { listenOnSocket } from './http/listen.ts'
import { IdempotencyKeys } from './idempotency.ts'
import { Leases } from './leases.ts'
import { limitsOf, type GateOptions } from './options.ts'
import { pausedAnswer, type PausedAnswer } from './paused-answer.ts'
import { Registry } from './registry.ts'
import { Tenants, type Serving } from './tenants.ts'
import type { Passage } from './turnstile.ts'

export type { GateFastifyPlugin } from './http/fastify.ts'
export type { GateHandler } from './http/handler.ts'
export type { GateFile, GateLimits, GateOptions, GateTenant } from './options.ts'
export { TenantPaused } from './paused-answer.ts'
export type { PausedAnswer } from './paused-answer.ts'
export type { Passage } from './turnstile.ts'
export type { Serving } from './tenants.ts'

export interface Gate extends AsyncDisposable {
  /** Answers the admin API for node:http and Express. */
  readonly handler: GateHandler
  /** Answers the admin API as a plugin for Fastify. */
  readonly fastify: GateFastifyPlugin
  /**
   * Serves the admin API on a unix socket with mode 0660. The caller closes the server. Replaces the socket of a dead
   * process, and rejects if a live process answers on it.
   */
  listen(socketPath: string): Promise<Server>
  /**
   * Begins a request or a background job of the tenant. Waits while the tenant is draining, quiesced or resuming. Call
   * the passage when the work has ended, or let `using` call it.
   * @throws {TenantPaused} after `limits.waitMs`, or immediately if `limits.waitingMax` already wait. Rejects with the
   * signal's reason if the signal aborts.
   */
  enter(tenantId: string, signal?: AbortSignal): Promise<Passage>
  /**
   * Enters, does the work, and leaves, also if the work throws. A call for the same tenant inside the work does not
   * wait.
   */
  run<T>(tenantId: string, work: () => T | Promise<T>, signal?: AbortSignal): Promise<T>
  /** The 503 answer if `error` is a TenantPaused, else null. */
  tenantPaused(error: unknown): PausedAnswer | null
  /** The state of the tenant. A tenant that the gate does not know is `active`. */
  stateOf(tenantId: string): Serving
  /** Ends every lease and resumes the tenants. Call it when the service stops. */
  [Symbol.asyncDispose](): Promise<void>
}

interface EnteredTenant {
  readonly tenantId: string
  readonly passage: Passage
  readonly outer: EnteredTenant | undefined
}

/** @throws {TypeError} if a limit is no positive number */
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
  const inside = new AsyncLocalStorage<EnteredTenant>()

  async function enter(tenantId: string, signal?: AbortSignal): Promise<Passage> {
    const record = tenants.of(tenantId)
    // Inside a passage of the same tenant the call must not wait: the drain waits for that passage to end.
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

/** True only while the outer work still runs. Work that it started but did not await must wait like any other. */
function isInside(innermost: EnteredTenant | undefined, tenantId: string): boolean {
  for (let level = innermost; level; level = level.outer)
    if (level.tenantId === tenantId && level.passage.inside) return true
  return false
}
