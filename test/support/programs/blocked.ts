/**
 * A holder whose heartbeat watch is over, and whose event loop then does not turn until well past that watch's
 * deadline.
 */
import { Guardian } from '../../../src/hold/seal/guardian.ts'

const guardian = await Guardian.begin(null)
await guardian.ready()
const watch = await guardian.watchHeartbeat()
watch[Symbol.dispose]()
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 17_000)
process.exit(0)
