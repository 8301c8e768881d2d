/** Starts the service that is measured, and asks it for figures. */
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'

export type ServiceRequest =
  | { readonly do: 'load'; readonly tenant: string; readonly perSecond: number }
  | { readonly do: 'figures' }
  | { readonly do: 'end' }

export interface ServiceAnswer {
  readonly kind: 'ready' | 'done'
  /** Milliseconds of each transaction since the last answer, from due to committed. */
  readonly latencies: readonly number[]
  /** Holds since the start. */
  readonly holds: number
  /** Milliseconds of each pause that ended since the last figures, from closing the tenant to having it open again. */
  readonly pausesMs: readonly number[]
}

export interface BenchService extends AsyncDisposable {
  readonly socket: string
  /** Begins transactions on one tenant, evenly spread over time. */
  load(tenant: string, perSecond: number): Promise<void>
  /** What was measured since the last answer. */
  figures(): Promise<ServiceAnswer>
}

/** @param folder whose *.db are the tenants */
export async function startService(folder: string, socket: string): Promise<BenchService> {
  const child = fork(join(import.meta.dirname, 'service.ts'), [folder, socket], {
    serialization: 'advanced',
    execArgv: [],
  })
  const ended = new Promise<never>((_, reject) =>
    child.once('exit', (code) => reject(new Error(`the service ended with code ${code}`))),
  )
  ended.catch(() => undefined)
  await Promise.race([heard(child), ended])
  const ask = async (message: ServiceRequest): Promise<ServiceAnswer> => {
    const answer = heard(child)
    child.send(message)
    return Promise.race([answer, ended])
  }
  return {
    socket,
    load: async (tenant, perSecond) => void (await ask({ do: 'load', tenant, perSecond })),
    figures: () => ask({ do: 'figures' }),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.send({ do: 'end' } satisfies ServiceRequest, () => undefined)
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended.catch(() => undefined)
      clearTimeout(timer)
    },
  }
}

const heard = (child: ChildProcess): Promise<ServiceAnswer> =>
  new Promise((resolve) => child.once('message', (message) => resolve(message as ServiceAnswer)))
