/**
 * Makes many warm copies of a tenant that a busy service writes to. Each is compared with what the service recorded
 * while it was quiesced: integrity, sum of the balances, and every row. For half of them the service opens the tenant
 * again for each request.
 */
import { tenantId } from '../../src/model/brand.ts'
import { openHoldFixture } from '../support/hold/hold-fixture.ts'
import { deviationOf, startHeavy } from '../support/service/busy-service.ts'

/** @returns whether every copy was exact */
export async function makeWarmCopies(total: number, say: (line: string) => void): Promise<boolean> {
  await using fixture = await openHoldFixture()
  let inexact = 0
  for (const manner of ['keeps', 'reopens'] as const) {
    await using busy = await startHeavy(manner)
    const methods = new Map<string, number>()
    const pauses: number[] = []
    let undecided = 0
    for (let time = 0; time < Math.ceil(total / 2); time++) {
      const connection = {
        tenant: tenantId('heavy'),
        service: busy.service,
        ledger: fixture.ledger,
        socket: busy.socket,
        permit: null,
        onRetry: () => undefined,
      } as const
      const held = await fixture.hold(busy.file, connection, { settings: { warmAboveBytes: 0 } })
      if (held.kind !== 'snapshot') {
        undecided++
        say(`${manner} ${time}: no snapshot: ${held.failure.code}: ${held.failure.message}`)
        continue
      }
      await using snapshot = held.snapshot
      const deviation = deviationOf(snapshot.path, busy.quiesced())
      const method = held.record.evidence.snapshot?.method ?? 'none'
      methods.set(method, (methods.get(method) ?? 0) + 1)
      pauses.push(held.record.evidence.quiesce?.heldMs ?? 0)
      if (deviation !== null) {
        inexact++
        say(`${manner} ${time}: NOT EXACT (${method}): ${deviation}`)
      }
      if (time % 100 === 99) say(`${manner} ${time + 1}: ${inexact} not exact`)
    }
    const { transactions, failures, slowest } = await busy.end()
    const sorted = pauses.toSorted((one, other) => one - other)
    say(
      `a service that ${manner} its handle: ${pauses.length} copies ` +
        `(${[...methods].map(([method, count]) => `${count} ${method}`).join(', ')}), ${undecided} without a ` +
        `snapshot; pause p50 ${sorted[sorted.length >> 1]} ms, p99 ${sorted[Math.floor(sorted.length * 0.99)]} ` +
        `ms; ${transactions} transactions meanwhile, ${failures} failed, the slowest took ` +
        `${Math.round(slowest)} ms`,
    )
  }
  say(inexact === 0 ? 'every copy was exact' : `${inexact} COPIES WERE NOT EXACT`)
  return inexact === 0
}
