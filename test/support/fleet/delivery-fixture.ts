/** An outbox with a delivery, as an agent has them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FleetDatabase } from '../../../src/fleet/database/database.ts'
import { ResultDelivery } from '../../../src/fleet/results/delivery.ts'
import { Outbox } from '../../../src/fleet/results/outbox.ts'
import type { OutgoingResult } from '../../../src/fleet/results/outgoing-result.ts'
import { runs } from './outgoing-results.ts'

export interface DeliveryFixture extends AsyncDisposable {
  readonly outbox: Outbox
  readonly delivery: ResultDelivery
  readonly troubles: string[]
  readonly notices: string[]
  /** Resolves when they are stored, or the database has refused them. */
  send(...results: readonly OutgoingResult[]): Promise<void>
}

/** @param now the clock of the host, in ms since 1970 */
export function openDeliveryFixture(
  database: FleetDatabase,
  now: () => number = Date.now,
  host = 'alpha',
): DeliveryFixture {
  const dir = mkdtempSync(join(tmpdir(), 'delivery-'))
  mkdirSync(join(dir, 'agent'))
  const outbox = Outbox.open(dir, Date.now())
  const troubles: string[] = []
  const notices: string[] = []
  const delivery = new ResultDelivery({
    database,
    outbox,
    host,
    service: 'notes',
    now,
    onFailure: (failure) => troubles.push(failure === null ? 'over' : failure.code),
    onNotice: (notice) => notices.push(notice),
  })
  return {
    outbox,
    delivery,
    troubles,
    notices,
    async send(...results) {
      const { local, run, chunk } = outbox.beginChunk({
        local: `L${Math.random()}`,
        run: runs[0],
        week: '2026-11-23',
        chunk: 0,
      })
      outbox.put(local, results)
      delivery.wake()
      await delivery.until(() => outbox.waitsFor({ run, chunk }), AbortSignal.timeout(120_000))
    },
    async [Symbol.asyncDispose]() {
      await delivery[Symbol.asyncDispose]()
      outbox[Symbol.dispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
