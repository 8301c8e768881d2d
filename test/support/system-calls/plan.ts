/** Plans the injections: one or more for each call that a command makes if nothing fails. */
import type { TriedCommand } from './commands.ts'
import type { Injection, Role } from './injection.ts'
import { tracedCalls } from './programs.ts'
import type { Scene } from './scene.ts'
import { injectionsFor, occurrencesIn } from './sites.ts'
import type { TracedCall } from './trace.ts'
import { carryOut, tracedIn } from './trial.ts'

export interface Plan {
  readonly injections: readonly Injection[]
  /** Calls that have no entry in the tables of errnos.ts. */
  readonly unnamed: ReadonlySet<string>
}

export class Planner {
  /** Errnos by program and site. */
  readonly #tried = new Map<string, ReadonlySet<string>>()

  /**
   * Leaves out what commands planned earlier have tried.
   * @throws if the command does not end as expected without a fault
   */
  async plan(scene: Scene, command: TriedCommand): Promise<Plan> {
    const injections: Injection[] = []
    const unnamed = new Set<string>()
    for (const role of command.roles) {
      const calls = await callsWithoutFault(scene, command, role)
      const occurrences = occurrencesIn(calls, scene, unnamed)
      injections.push(...injectionsFor(command.name, role, occurrences, firstOfOurs(calls, role), this.#tried))
    }
    return { injections, unnamed }
  }
}

async function callsWithoutFault(scene: Scene, command: TriedCommand, role: Role): Promise<readonly TracedCall[]> {
  const { complaints, ended } = await carryOut(scene, command, { [role]: null })
  const code = command.dies === undefined ? command.code : null
  if (complaints.length > 0 || ended.code !== code) {
    throw new Error(`${command.name}, without a fault: ${ended.code} ${complaints.join('; ')} ${ended.stderr}`)
  }
  const calls = tracedCalls(tracedIn(scene), role)
  if (calls === null) throw new Error(`${command.name} starts no ${role}`)
  return calls
}

/**
 * Node begins a process with hundreds of calls of its own, and holdfast cannot answer for their failures. The first of
 * our calls is the one with which Node finds our program. If Node cannot load it, its parent sees a dead child.
 */
function firstOfOurs(calls: readonly TracedCall[], role: Role): number {
  const program = role === 'main' ? '/dist/holdfast.js"' : `/${role}-child.js"`
  const at = calls.findIndex(({ args }) => args.includes(program))
  if (at < 0) throw new Error(`no call of ${role} is about ${program}`)
  return at
}
