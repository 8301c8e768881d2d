/**
 * Takes pinned snapshots of one file until it is ended, and prints each step before it goes on. See orders.ts for its
 * argument.
 */
import { writeSync } from 'node:fs'
import { defaultHoldSettings, defaultLiveSettings } from '../../../../src/config/defaults.ts'
import { startHoldProcesses } from '../../../../src/hold/hold-processes.ts'
import { hold, unbounded } from '../../../../src/hold/hold.ts'
import type { HoldStep } from '../../../../src/hold/record.ts'
import type { PinnerOrders } from './orders.ts'

const { file, folder, maxPinMs } = JSON.parse(process.argv[2] ?? '') as PinnerOrders
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`)

const onStep = (step: HoldStep): void => say({ step })
await using processes = await startHoldProcesses()
say({ ready: true })
for (let number = 0; ; number++) {
  const [held] = await hold(
    {
      files: [{ named: file, expected: false, abandonedPauseMs: null, name: `pinned-${number}`, onStep }],
      roots: null,
      connection: null,
      settings: {
        ...defaultHoldSettings,
        require: 'pinned',
        trustMounts: [],
        live: { ...defaultLiveSettings, maxPinMs },
      },
      folder,
      bounds: unbounded,
    },
    processes,
    new AbortController().signal,
  )
  if (held?.kind === 'snapshot') await held.snapshot[Symbol.asyncDispose]()
  say({ held: held?.kind === 'snapshot' ? held.record.evidence.pin : held?.failure.message })
}
