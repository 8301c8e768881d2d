/** A run that writes to the ledger argv[2] until it is killed, and prints each line that was acknowledged. */

import { writeSync } from 'node:fs'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { holdAsked, checked, holdEnded, holdQuiesced } from '../ledger/sample-events.ts'

const [, , dir = '', name = ''] = process.argv
const ledger = await openLedger(dir, newRunId())
writeSync(1, 'ready\n')
for (let hold = 0; ; hold += 1) {
  const holder = `${name}-${hold}`
  await Promise.all(
    [0, 1, 2].map(async (part) => {
      const one = `${holder}-${part}`
      for (const event of [holdAsked(one), holdQuiesced(one), checked(one), holdEnded(one)]) {
        await ledger.append(event)
        writeSync(1, `${event.kind} ${one}\n`)
      }
    }),
  )
}
