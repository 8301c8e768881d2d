/**
 * Takes a pinned snapshot and stops at the end of a step, as by SIGSTOP, swapping or a dead disk:
 *   node frozen-pin.ts FILE FOLDER STEP MAX_PIN PIN_WAIT
 * Prints a line before it stops.
 */
import { writeSync } from 'node:fs'
import { defaultHoldSettings, defaultLiveSettings } from '../../../../src/config/defaults.ts'
import { startHoldProcesses } from '../../../../src/hold/hold-processes.ts'
import { hold, unbounded } from '../../../../src/hold/hold.ts'
import type { HoldStep } from '../../../../src/hold/record.ts'

const [named = '', folder = '', at = '', maxPin = '', pinWait = ''] = process.argv.slice(2)
await using processes = await startHoldProcesses()
const onStep = (step: HoldStep): void => {
  if (step !== at) return
  writeSync(1, `${JSON.stringify({ frozen: step })}\n`)
  process.kill(process.pid, 'SIGSTOP')
}
await hold(
  {
    files: [{ named, expected: true, abandonedPauseMs: null, name: 'pinned', onStep }],
    roots: null,
    connection: null,
    settings: {
      ...defaultHoldSettings,
      require: 'pinned',
      trustMounts: [],
      live: { ...defaultLiveSettings, maxPinMs: Number(maxPin), pinWaitMs: Number(pinWait) },
    },
    folder,
    bounds: unbounded,
  },
  processes,
  new AbortController().signal,
)
