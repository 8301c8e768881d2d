/** The scene of an attack on the limit: a service that counts who stands still, agents, and a watch. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FleetDatabase } from '../../../../src/fleet/database/database.ts'
import type { PauseSlots } from '../../../../src/fleet/pause/pause-slots.ts'
import type { TakenSlot } from '../../../../src/fleet/pause/slot-permit.ts'
import { SlotWatch } from '../../../../src/fleet/pause/slot-watch.ts'
import { sleep } from '../../../../src/host/clock.ts'
import { tenantId } from '../../../../src/model/brand.ts'
import { connectService } from '../../../../src/service/connect.ts'
import { startNode, type Program } from '../../processes.ts'
import { attackExpiryMs, attackLimits, serviceAt, type AgentOptions } from './agent-options.ts'
import { slotsOf } from './asked-slots.ts'

export interface AttackScene extends AsyncDisposable {
  readonly service: Program
  readonly socket: string
  readonly folder: string
  /** Ends the service. @returns the most tenants that stood still at the same time, by its own count */
  mostAtOnce(): Promise<number>
  agent(options: Pick<AgentOptions, 'database' | 'host' | 'holds' | 'tenants'> & Partial<AgentOptions>): Program
}

/** @param name of the service, and so of its scope: attacks with different names do not meet */
export async function openAttackScene(name: string, tenants: number, blind = false): Promise<AttackScene> {
  const folder = mkdtempSync(join(tmpdir(), 'attack-'))
  const files = join(folder, 'data')
  mkdirSync(files)
  const socket = join(folder, 'admin.sock')
  const args = [files, socket, String(tenants), ...(blind ? ['blind'] : [])]
  const service = startNode('test/support/programs/fleet/counting-service.ts', args)
  const agents: Program[] = []
  await service.ready
  return {
    service,
    socket,
    folder,
    async mostAtOnce() {
      service.kill('SIGTERM')
      await service.ended
      return Math.max(...messagesOf(service).map(({ most }) => Number(most ?? 0)))
    },
    agent(options) {
      const own = mkdtempSync(join(folder, `${options.host}-`))
      const given: AgentOptions = {
        service: name,
        domain: null,
        folder: own,
        files,
        socket,
        limits: attackLimits,
        freezeAt: null,
        defences: ['window', 'guardian'],
        ...options,
      }
      const agent = startNode('test/support/programs/fleet/slot-agent.ts', [JSON.stringify(given)])
      agents.push(agent)
      return agent
    },
    async [Symbol.asyncDispose]() {
      for (const agent of agents) {
        agent.kill('SIGKILL')
        await agent.ended
      }
      service.kill('SIGCONT')
      await service[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

export const messagesOf = (program: Program): readonly Readonly<Record<string, unknown>>[] =>
  program
    .stdout()
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)

/** Watches as a coordinator does, until it is disposed of. */
export function startWatch(database: FleetDatabase): AsyncDisposable {
  const watch = new SlotWatch(database, attackExpiryMs)
  const over = new AbortController()
  const watching = (async () => {
    while (!over.signal.aborted) {
      await watch.pass().catch(() => undefined) // The database may be away: that is part of an attack.
      await sleep(100)
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      over.abort()
      await watching
    },
  }
}

/** Another agent of the fleet, as its service sees it: takes a slot and has one tenant stand still for so long. */
export class PlainAgent implements AsyncDisposable {
  readonly #slots: PauseSlots
  readonly #socket: string

  constructor(database: FleetDatabase, service: string, socket: string) {
    this.#slots = slotsOf(database, 'other', { service, onFailure: () => undefined })
    this.#socket = socket
  }

  /** Asks until there is a slot. */
  async take(forMs: number): Promise<TakenSlot> {
    for (const endMs = performance.now() + forMs; ; await sleep(50)) {
      const answer = await this.#slots.take()
      if ('rows' in answer) return answer
      if (performance.now() > endMs) throw new Error(`no slot within ${forMs} ms: ${answer.why}`)
    }
  }

  /** Has a tenant stand still until the lease is disposed of. @param answerTimeoutMs for each answer of the service */
  async pause(tenant: string, answerTimeoutMs: number): Promise<AsyncDisposable> {
    const service = { ...serviceAt(this.#socket), requestTimeoutMs: answerTimeoutMs }
    const client = await connectService(service)
    const { signal } = new AbortController()
    const id = tenantId(tenant)
    const terms = { holder: 'other', reason: 'test', ttlMs: 60_000, maxHoldMs: 60_000, drainTimeoutMs: 200 }
    const quiesced = await client.quiesce(id, terms, signal).catch(async (error: unknown) => {
      await client[Symbol.asyncDispose]()
      throw error
    })
    return {
      async [Symbol.asyncDispose]() {
        await client.resume(quiesced, signal)
        await client[Symbol.asyncDispose]()
      },
    }
  }

  release(slot: TakenSlot): void {
    this.#slots.release(slot)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#slots.untilReturned()
  }
}
