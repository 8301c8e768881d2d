/**
 * A holder that its guardian ends, and whose tenants take long to be resumed:
 *   node slow-resume.ts SLOW
 * SLOW is a program that the process which resumes them runs first.
 */
import type { ResumeTerms } from '../../../../src/hold/pause/guarded-hold.ts'
import { Guardian } from '../../../../src/hold/seal/guardian.ts'
import { monotonicMs } from '../../../../src/host/clock.ts'
import { descendantsRunning } from '../../processes.ts'

const [slow = ''] = process.argv.slice(2)
// The process that would read the rest of them never comes to it.
const terms: Partial<ResumeTerms> = { env: { NODE_OPTIONS: `--require ${slow}` }, fileMask: 0o77 }
const guardian = await Guardian.begin(terms as ResumeTerms)
await guardian.ready()
await guardian.watchUntil(monotonicMs() + 200)
const [pid] = descendantsRunning(process.pid, 'guardian-child')
process.stdout.write(`${JSON.stringify({ guardian: pid })}\n`)
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
