import { randomBytes } from 'node:crypto'
/**
 * Background work of the service: transfers at a steady rate, each through the gate, each written down once it is
 * acknowledged.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Gate } from '../../src/service/gate/index.ts'
import { transfer } from './ledger-database.ts'
import type { Store } from './store.ts'

const tickMs = 5
/** Transfers that may wait for one paused tenant, as real requests would queue. */
const pendingMax = 4

export interface LoadCounts {
  acknowledged: number
  paused: number
  failed: number
}

export interface Load extends Disposable {
  readonly counts: Readonly<LoadCounts>
}

/**
 * `perSecond` transfers in all, spread evenly over `tenants`. A transfer is acknowledged by one line `tenant id` in `log`, never synced: the
 * line is written after the commit, so every line must be found in its database, whatever happened meanwhile.
 */
export function startLoad(
  gate: () => Gate,
  store: Store,
  options: { readonly tenants: readonly string[]; readonly perSecond: number; readonly log: string },
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
        transfer(open.handle, id)
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
    // After a stall the missed transfers are not made up for all at once.
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
