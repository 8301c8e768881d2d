/**
 * Ends commands that outlived their run. Each runs in a session of its own, so it lives on when its run is killed. A
 * quiesce command that still runs would pause the tenant after our resume. Two resume commands must not run at a time.
 */
import { monotonicMs, sleep } from '../../host/clock.ts'
import { ageMsOf, isAlive, sessionLeadersWith, startTimeOf } from '../../host/process/processes.ts'
import type { CommandState, HoldCommands, StartedProcess } from '../port.ts'
import { killProcessGroup } from './command.ts'

type TenantCommand = CommandState['command']

const pollEveryMs = 20
/** How long a killed command may take until it is gone. */
const goneWithinMs = 5_000

/** An environment variable that names the hold for which a command was started. */
export const commandMark = (command: TenantCommand, holder: string): Readonly<Record<string, string>> => ({
  [nameOf(command)]: holder,
})

const nameOf = (command: TenantCommand): string => `HOLDFAST_${command.toUpperCase()}`

/**
 * Resolves when none of them runs any more, or has had its time.
 * - A quiesce command is killed with its group, as its run would have done: a resume follows.
 * - A resume command gets the configured time, because half a resume may be worse than none.
 * - A process that was only found by its environment gets that time too and is not killed. It may be the command, or
 *   a process that the command left running.
 */
export async function endEarlierCommands({ holder, latest }: HoldCommands, timeoutMs: number): Promise<void> {
  if (latest?.state === 'running') {
    if (latest.command === 'quiesce' || !(await waitFor(latest.process, timeoutMs)))
      await killGroup(latest.process, timeoutMs)
    return
  }
  if (latest?.command === 'resume' && latest.state === 'succeeded') return
  // The run may have been killed after it started a command and before it recorded that.
  const commands: readonly TenantCommand[] = latest === null ? ['quiesce', 'resume'] : ['resume']
  const found = commands.flatMap((command) => sessionLeadersWith(nameOf(command), holder))
  await Promise.all(found.map((pid) => waitFor({ pid, startTime: startTimeOf(pid) ?? '' }, timeoutMs)))
}

/** A command that became another user (sudo) cannot be killed, so it gets its time. */
async function killGroup(started: StartedProcess, timeoutMs: number): Promise<void> {
  if (!isAlive(started.pid, started.startTime)) return // Its group may contain processes that it left running.
  const killed = killProcessGroup(started.pid)
  const goneByMs = monotonicMs() + goneWithinMs
  if (!killed) await waitFor(started, timeoutMs)
  else while (isAlive(started.pid, started.startTime) && monotonicMs() < goneByMs) await sleep(pollEveryMs)
}

/** @returns true if the process has ended before it reached that age */
async function waitFor({ pid, startTime }: StartedProcess, ageMsMax: number): Promise<boolean> {
  const untilMs = monotonicMs() + ageMsMax // In a container the age may be wrong.
  while (isAlive(pid, startTime)) {
    if (ageMsOf(startTime) > ageMsMax || monotonicMs() > untilMs) return false
    await sleep(pollEveryMs)
  }
  return true
}
