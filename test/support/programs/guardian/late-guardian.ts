/**
 * A holder whose watch ends in time, while its guardian is stopped until well past the deadline of that watch. The end
 * of the watch waits in the channel when the guardian goes on.
 */
import { Guardian } from '../../../../src/hold/seal/guardian.ts'
import { monotonicMs, sleep } from '../../../../src/host/clock.ts'
import { descendantsRunning } from '../../processes.ts'

const guardian = await Guardian.begin(null)
await guardian.ready()
const watch = await guardian.watchUntil(monotonicMs() + 2_000)
const pids = descendantsRunning(process.pid, 'guardian-child')
for (const pid of pids) process.kill(pid, 'SIGSTOP')
watch[Symbol.dispose]()
await sleep(3_000)
for (const pid of pids) process.kill(pid, 'SIGCONT')
await guardian.ready()
await sleep(500)
process.stdout.write(`${JSON.stringify({ guardians: pids.length })}\n`)
process.exit(0)
