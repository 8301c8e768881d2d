/** What is to be tried: each call that a command makes when nothing fails. */
import type { TriedCommand } from './commands.ts'
import type { Injection, Role } from './injection.ts'
import type { Place } from './place.ts'
import { tracedCalls } from './programs.ts'
import { injectionsFor, occurrencesIn } from './sites.ts'
import type { Call } from './trace.ts'
import { carryOut, tracedIn } from './trial.ts'

export interface Plan {
  readonly injections: readonly Injection[]
  /** Calls that were made and that no table of errnos names. */
  readonly unnamed: ReadonlySet<string>
}

export class Planner {
  /** Errnos by program and site. */
  readonly #tried = new Map<string, ReadonlySet<string>>()

  /**
   * What commands planned before it have is not tried again.
   * @throws when the command does not end as it must when nothing fails
   */
  async plan(place: Place, command: TriedCommand): Promise<Plan> {
    const injections: Injection[] = []
    const unnamed = new Set<string>()
    for (const role of command.roles) {
      const calls = await callsWithoutFault(place, command, role)
      const occurrences = occurrencesIn(calls, place, unnamed)
      injections.push(...injectionsFor(command.name, role, occurrences, firstOfOurs(calls, role), this.#tried))
    }
    return { injections, unnamed }
  }
}

async function callsWithoutFault(place: Place, command: TriedCommand, role: Role): Promise<readonly Call[]> {
  const { complaints, ended } = await carryOut(place, command, { [role]: null })
  const code = command.dies === undefined ? command.code : null
  if (complaints.length > 0 || ended.code !== code) {
    throw new Error(`${command.name}, with nothing failing: ${ended.code} ${complaints.join('; ')} ${ended.stderr}`)
  }
  const calls = tracedCalls(tracedIn(place), role)
  if (calls === null) throw new Error(`${command.name} starts no ${role}`)
  return calls
}

/**
 * Node itself begins a process with hundreds of calls, and when one of them fails it says what it likes, or nothing.
 * From where it looks for our program we answer for all. To a parent a child that does not come to its first line is
 * one that died: the calls that load it make that case.
 */
function firstOfOurs(calls: readonly Call[], role: Role): number {
  const program = role === 'main' ? '/dist/holdfast.js"' : `/${role}-child.js"`
  const at = calls.findIndex(({ args }) => args.includes(program))
  if (at < 0) throw new Error(`no call of ${role} is about ${program}`)
  return at
}
