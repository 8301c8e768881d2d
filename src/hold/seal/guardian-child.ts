/**
 * The guardian: opens no live file, knows deadlines and holds. It kills a holder that is frozen past a deadline
 * (hold/README.md F13), because a frozen holder keeps its locks while the service already goes on. It outlives a holder
 * that was killed, and starts a process that resumes the tenants which that left paused. It ends when nothing is left
 * to do.
 */
import { closeSync, write } from 'node:fs'
import { promisify } from 'node:util'
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
/** Standard error of the holder: see `ourErrors` of `ProcessOptions`. */
const errorsOfHolder = 3
const sayMsMax = 1_000
/** The shell says no more than `Killed`. */
const wordsOfKill =
  'holdfast: the guardian has ended this run (SIGKILL). The run was frozen while it had a file locked, and nothing ' +
  'may wait longer for it.\n' +
  '  next: if this run has paused a tenant, holdfast now resumes it. Find out why the run was frozen: an overloaded ' +
  'machine or disk, or a signal that stopped it (Ctrl-Z). Then run it again.\n'
let terms: ResumeTerms | null = null
let locks: HoldLocks | null = null
let holderEndsInOrder = false
/** Ends when the holder's errors are closed here; null while they are open. */
let saying: Promise<void> | null = null

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
      setDeadline(message.watch, message.forMs)
      return
    case 'hold':
      open.set(message.hold.holder, { ...message.hold, latest: null })
      // The run made the folder before its first hold. Without the lock the tenant is resumed all the same.
      if (terms) (locks ??= HoldLocks.open(terms.ledgerDir))?.take(message.hold.holder)
      return
    case 'command':
      for (const [key, hold] of open)
        if (hold.tenant === message.tenant) open.set(key, { ...hold, latest: message.latest })
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

/**
 * This process may have stood still too, and then the end of the watch waits in the channel. The channel is read
 * between the timer and `setImmediate`.
 */
function setDeadline(watch: number, forMs: number): void {
  const deadline = setTimeout(() => setImmediate(() => deadlines.get(watch) === deadline && killHolder()), forMs)
  deadlines.set(watch, deadline)
}

/** By pid and start time: the pid alone may by now belong to another process. */
function killHolder(): void {
  if (!isAlive(holder.pid, holder.startTime)) return
  process.kill(holder.pid, 'SIGKILL')
  saying ??= say()
}

/** Whoever reads the errors waits until all processes that have them are gone, or have closed them. */
async function say(): Promise<void> {
  await promisify(write)(errorsOfHolder, wordsOfKill).catch(() => undefined) // They may be closed.
  closeSync(errorsOfHolder)
}

/**
 * The holder has closed the channel. Unless it ends in good order, it is gone, or about to be. No tenant is resumed
 * while it may still hold a lock.
 */
async function whenAlone(): Promise<void> {
  if (saying === null) {
    closeSync(errorsOfHolder)
    saying = Promise.resolve()
  }
  if (!holderEndsInOrder) {
    while (isAlive(holder.pid, holder.startTime)) await sleep(checkEveryMs)
    if (terms) await resumeInProcess({ terms, open: [...open.values()], ended, locks: locks !== null }, locks)
  }
  // No process exits while it writes, and the program that reads may be stopped.
  await Promise.race([saying, sleep(sayMsMax).then(() => process.kill(process.pid, 'SIGKILL'))])
  process.exit()
}
