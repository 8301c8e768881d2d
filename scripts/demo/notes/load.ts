/** Background work of the service: transfers at a steady rate, each through the gate, each logged after its commit. */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Gate } from '../../../src/service/gate/index.ts'
import { transfer } from './tenant-database.ts'
import type { TenantStore } from './tenant-store.ts'

const tickMs = 5
/** Transfers that may wait for one paused tenant, as real requests do. */
const pendingMax = 4

interface LoadCounts {
  acknowledged: number
  paused: number
  failed: number
}

export interface Load extends Disposable {
  readonly counts: Readonly<LoadCounts>
}

/**
 * Makes `perSecond` transfers, spread evenly over `tenants`. After its commit a transfer is acknowledged by one line
 * `tenant id` in `log`. So each line must be found in its database, even after a crash. The log is never synced.
 */
export function startLoad(
  gate: () => Gate,
  store: TenantStore,
  options: {
    readonly tenants: readonly string[]
    readonly perSecond: number
    readonly log: string
    readonly onDamage: (tenant: string) => void
  },
): Load {
  const counts: LoadCounts = { acknowledged: 0, paused: 0, failed: 0 }
  const log = openSync(options.log, 'a', 0o600)
  const run = randomBytes(4).toString('hex')
  const pending = new Map<string, number>()
  let ended = false
  let sequence = 0
  let due = 0
  let next = 0
  let lastAt = performance.now()

  const transferOnce = async (tenant: string): Promise<void> => {
    const id = `${run}-${++sequence}`
    pending.set(tenant, (pending.get(tenant) ?? 0) + 1)
    try {
      await gate().run(tenant, () => {
        if (ended) return
        const open = store.tenant(tenant)
        if (!open.keepsAccounts) return
        transfer(open.handle, id, () => options.onDamage(tenant))
        writeSync(log, `${tenant} ${id}\n`)
        counts.acknowledged++
      })
    } catch (error) {
      if (gate().tenantPaused(error)) counts.paused++
      else counts.failed++
    } finally {
      pending.set(tenant, (pending.get(tenant) ?? 1) - 1)
    }
  }

  const timer = setInterval(() => {
    const now = performance.now()
    // After a stall, not all missed transfers follow in one burst.
    due = Math.min(due + ((now - lastAt) * options.perSecond) / 1000, options.perSecond / 10 + 1)
    lastAt = now
    for (let tried = 0; due >= 1 && tried < options.tenants.length * pendingMax; tried++) {
      const tenant = options.tenants[next++ % options.tenants.length]
      if (tenant === undefined || (pending.get(tenant) ?? 0) >= pendingMax) continue
      due--
      void transferOnce(tenant)
    }
  }, tickMs)

  return {
    counts,
    [Symbol.dispose]() {
      if (ended) return
      ended = true
      clearInterval(timer)
      closeSync(log)
    },
  }
}
