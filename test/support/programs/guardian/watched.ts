/**
 * A holder that a guardian watches over two holds, one after the other:
 *   node watched.ts ended|standing
 * The second hold takes over the watch of the first, and that watch is ended once more than needed, as pauses do. Then
 * the holder ends its own watch too, or keeps it, and freezes until well past the deadline.
 */
import { Guardian } from '../../../../src/hold/seal/guardian.ts'
import { monotonicMs } from '../../../../src/host/clock.ts'

const guardian = await Guardian.begin(null)
await guardian.ready()
const deadlineMs = monotonicMs() + 1_500
const first = await guardian.watch(deadlineMs, deadlineMs)
first[Symbol.dispose]()
const second = await guardian.watch(deadlineMs - 500, deadlineMs + 500)
first[Symbol.dispose]()
first.until(deadlineMs + 60_000)
if (process.argv[2] === 'ended') second[Symbol.dispose]()
const third = await guardian.watch(deadlineMs + 60_000, deadlineMs + 60_000)
process.stdout.write(
  `${JSON.stringify({
    takenOver: second.deadlineMs === deadlineMs,
    asked: Math.round(third.deadlineMs - deadlineMs),
  })}\n`,
)
// The third watch has brought everything that the next message would: from here on the guardian decides alone.
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, deadlineMs + 1_000 - monotonicMs())
process.exit(0)
