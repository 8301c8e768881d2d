/**
 * An agent's outbox and delivery alone, for attacks: makes a result every few milliseconds, writes it down in a file of
 * its own, and delivers. With chance it kills itself after the database has stored a batch and before it is deleted.
 *   node result-sender.ts LEDGER_DIR TRUTH_FILE ADDRESS_AS_JSON RUN
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FleetAddress } from '../../../../src/config/fleet/fleet-settings.ts'
import type { FleetDatabase } from '../../../../src/fleet/database/database.ts'
import { openFleetDatabase } from '../../../../src/fleet/database/open-database.ts'
import { deliverStatement } from '../../../../src/fleet/results/deliver-statement.ts'
import { ResultDelivery } from '../../../../src/fleet/results/delivery.ts'
import { Outbox } from '../../../../src/fleet/results/outbox.ts'
import { outgoing } from '../../fleet/outgoing-results.ts'

const [ledgerDir = '', truth = '', address = '', run = ''] = process.argv.slice(2)
const tenants = 40
const selfKill = 0.1

const access = { database: JSON.parse(address) as FleetAddress, passwordFile: null, caFile: null }
const real = await openFleetDatabase(access, 2_000)
const database: FleetDatabase = {
  kind: real.kind,
  async query(text, values) {
    const answer = await real.query<never>(text, values)
    if (text === deliverStatement && Math.random() < selfKill) process.kill(process.pid, 'SIGKILL')
    return answer
  },
  [Symbol.asyncDispose]: () => real[Symbol.asyncDispose](),
}
const outbox = Outbox.open(ledgerDir, Date.now())
const delivery = new ResultDelivery({
  database,
  outbox,
  host: 'alpha',
  service: 'notes',
  now: Date.now,
  onFailure: () => undefined,
  onNotice: (notice) => process.stderr.write(`${notice}\n`),
})
for (let number = readFileSync(truth, 'utf8').split('\n').length; ; number++) {
  const attempt = Math.ceil(number / tenants)
  const damaged = number % 50 === 0
  const tenant = `t${number % tenants}`
  outbox.put('L', [outgoing(tenant, { run, attempt, verdict: damaged ? 'damaged' : 'sound' })])
  appendFileSync(truth, `${tenant} ${attempt} ${damaged ? 'damaged' : 'sound'}\n`)
  delivery.wake()
  await sleep(5)
}
