/**
 * The guardian: opens no live file, knows deadlines and holds. It kills a holder that is frozen past a deadline
 * (hold/README.md F13), because a frozen holder keeps its locks while the service already goes on. It outlives a holder
 * that was killed, and starts a process that resumes the tenants which that left paused. It ends when nothing is left
 * to do.
 */
import { sleep } from '../../host/clock.ts'
import { answerAwake } from '../../host/process/child-side.ts'
import { isAlive } from '../../host/process/processes.ts'
import { HoldLocks } from '../../ledger/run-lock/hold-locks.ts'
import type { AbandonedHold, ResumeTerms } from '../pause/guarded-hold.ts'
import { resumeInProcess } from '../pause/resume-process.ts'
import type { EndedParts, GuardianMessage } from './guardian.ts'

const { env } = process
const holder = { pid: Number(env['HOLDFAST_HOLDER_PID']), startTime: String(env['HOLDFAST_HOLDER_START']) }
const deadlines = new Map<number, NodeJS.Timeout>()
const open = new Map<string, AbandonedHold>()
/** Holders of the newest holds that ended. */
const ended: string[] = []
const endedMax = 100
const checkEveryMs = 5
let terms: ResumeTerms | null = null
let locks: HoldLocks | null = null
let holderEndsInOrder = false

// A signal that stops the run may reach all of its processes: this one is needed until the run is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => undefined)

answerAwake<GuardianMessage, 'here'>(
  (message) => {
    hear(message)
    return 'here'
  },
  () => void whenAlone(),
)

function hear(message: GuardianMessage): void {
  if ('ended' in message) forget(message.ended)
  switch (message.kind) {
    case 'hello':
    case 'end':
      return
    case 'terms':
      terms = message.terms
      return
    case 'until':
      clearTimeout(deadlines.get(message.watch))
      deadlines.set(message.watch, setTimeout(killHolder, message.forMs))
      return
    case 'hold':
      open.set(message.hold.holder, { ...message.hold, news: null })
      // The run made the folder before its first hold. Without the lock the tenant is resumed all the same.
      if (terms) (locks ??= HoldLocks.open(terms.ledgerDir))?.take(message.hold.holder)
      return
    case 'command':
      for (const [key, hold] of open) if (hold.tenant === message.tenant) open.set(key, { ...hold, news: message.news })
      return
    case 'goodbye':
      holderEndsInOrder = true
  }
}

function forget({ watches, holds }: EndedParts): void {
  for (const watch of watches) {
    clearTimeout(deadlines.get(watch))
    deadlines.delete(watch)
  }
  for (const hold of holds) {
    open.delete(hold)
    locks?.release(hold)
    ended.push(hold)
  }
  ended.splice(0, ended.length - endedMax)
}

/** By pid and start time: the pid alone may by now belong to another process. */
function killHolder(): void {
  if (isAlive(holder.pid, holder.startTime)) process.kill(holder.pid, 'SIGKILL')
}

/**
 * The holder has closed the channel. Unless it ends in good order, it is gone, or about to be. No tenant is resumed
 * while it may still hold a lock.
 */
async function whenAlone(): Promise<void> {
  if (!holderEndsInOrder) {
    while (isAlive(holder.pid, holder.startTime)) await sleep(checkEveryMs)
    if (terms) await resumeInProcess({ terms, open: [...open.values()], ended, locks: locks !== null }, locks)
  }
  process.exit()
}
