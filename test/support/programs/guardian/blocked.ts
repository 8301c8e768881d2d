/**
 * A holder whose heartbeat watch has ended, and whose event loop is then blocked until well past the deadline of that
 * watch.
 */
import { Guardian } from '../../../../src/hold/seal/guardian.ts'

const guardian = await Guardian.begin(null)
await guardian.ready()
const watch = await guardian.watchHeartbeat()
watch[Symbol.dispose]()
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 17_000)
process.exit(0)
