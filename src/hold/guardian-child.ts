/**
 * The guardian: holds nothing, knows deadlines, and kills a holder that is frozen past one (hold.md F13), because a
 * frozen holder keeps its locks while the service already goes on. It ends with the holder: its channel closes.
 */
import { answerAwake } from '../host/child-side.ts'
import { isAlive } from '../host/processes.ts'
import type { GuardianMessage } from './guardian.ts'

const holder = { pid: Number(process.env['HOLDFAST_HOLDER_PID']), startTime: String(process.env['HOLDFAST_HOLDER_START']) }
const deadlines = new Map<number, NodeJS.Timeout>()

answerAwake<GuardianMessage, 'here'>((message) => {
  if (message.kind === 'hello') return 'here'
  message.ended.forEach(forget)
  if (message.kind === 'until') {
    forget(message.watch)
    deadlines.set(message.watch, setTimeout(end, message.forMs))
  }
  return 'here'
})

function forget(watch: number): void {
  clearTimeout(deadlines.get(watch))
  deadlines.delete(watch)
}

/** By pid and start time: a pid alone may by now belong to somebody else. */
function end(): void {
  if (isAlive(holder.pid, holder.startTime)) process.kill(holder.pid, 'SIGKILL')
}
