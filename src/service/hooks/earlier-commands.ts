/**
 * Commands that outlived their run. They run in sessions of their own, so a run that is killed does not take them
 * along. A quiesce command that is still running would pause the tenant after our resume, and two resume commands must
 * not run at a time.
 */
import { monotonicMs, sleep } from '../../host/clock.ts'
import { ageMsOf, isAlive, sessionLeadersWith, startTimeOf } from '../../host/process/processes.ts'
import type { CommandNews, HoldCommands, StartedProcess } from '../port.ts'
import { killProcessGroup } from './command.ts'

type Deed = CommandNews['deed']

const lookEveryMs = 20
/** How long a command that was killed may take to be gone. */
const goneWithinMs = 5_000

/** Stands in the environment of each command, and so says for which hold it was started. */
export const markOf = (deed: Deed, holder: string): Readonly<Record<string, string>> => ({ [nameOf(deed)]: holder })

const nameOf = (deed: Deed): string => `HOLDFAST_${deed.toUpperCase()}`

/**
 * Until none of them runs any more. A quiesce command is killed with its group, as the run would have done when it was
 * interrupted: a resume follows. A resume command gets the time that is configured, for half a resume may be worse than
 * none. What we only find, and of which nobody knows whether it is the command or what that left running, gets that
 * time too, and lives on.
 */
export async function endEarlierCommands({ holder, news }: HoldCommands, timeoutMs: number): Promise<void> {
  if (news?.state === 'running') {
    if (news.deed === 'quiesce' || !(await waitFor(news.process, timeoutMs))) await killGroup(news.process, timeoutMs)
    return
  }
  if (news?.deed === 'resume' && news.state === 'succeeded') return
  // A run may be killed after it started a command and before it said so.
  const deeds: readonly Deed[] = news === null ? ['quiesce', 'resume'] : ['resume']
  const found = deeds.flatMap((deed) => sessionLeadersWith(nameOf(deed), holder))
  await Promise.all(found.map((pid) => waitFor({ pid, startTime: startTimeOf(pid) ?? '' }, timeoutMs)))
}

/** One that became another user (sudo) cannot be killed, and gets its time. */
async function killGroup(started: StartedProcess, timeoutMs: number): Promise<void> {
  if (!isAlive(started.pid, started.startTime)) return // Its group may hold what it left running.
  const killed = killProcessGroup(started.pid)
  const goneByMs = monotonicMs() + goneWithinMs
  if (!killed) await waitFor(started, timeoutMs)
  else while (isAlive(started.pid, started.startTime) && monotonicMs() < goneByMs) await sleep(lookEveryMs)
}

/** @returns whether it has ended before it was as old as that */
async function waitFor({ pid, startTime }: StartedProcess, ageMsMax: number): Promise<boolean> {
  const untilMs = monotonicMs() + ageMsMax // The age that a container tells may be another.
  while (isAlive(pid, startTime)) {
    if (ageMsOf(startTime) > ageMsMax || monotonicMs() > untilMs) return false
    await sleep(lookEveryMs)
  }
  return true
}
