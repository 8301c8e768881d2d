/** Starts a child process that is confined to the folder of its sandbox, before it has seen any file. */
import { sleep } from '../host/clock.ts'
import { systemFailure } from '../host/failures/system-failure.ts'
import { failureOfEnd } from '../host/process/child-start.ts'
import { ChildEndError, startChild } from '../host/process/child.ts'
import type { Child } from '../host/process/child.ts'
import { Failure } from '../model/failure.ts'
import type { Wall } from '../model/result/reading.ts'
import { cannotConfine } from './confinement.ts'
import type { Confinement } from './protocol.ts'

/** Loading SQLite and confining the process take well under a second on an idle machine. */
const startMsMax = 30_000
const secondStartAfterMs = 100

export interface ChildLimits {
  /** For each process. */
  readonly memoryBytesMax: number
  /** 0 to 19. */
  readonly niceness: number
}

export interface ConfinedProgram<Question, Answer> {
  /** Path of the program. */
  readonly path: string
  /** Shown to an operator. */
  readonly name: string
  /** Beside what every child gets. */
  readonly env: Readonly<Record<string, string>>
  /** Asks the child to confine itself, within `timeoutMs`. */
  readonly confine: (child: Child<Question, Answer>, timeoutMs: number) => Promise<ConfinedVersion>
}

interface ConfinedVersion {
  readonly sqliteVersion: string
  readonly confinement: Confinement
}

export interface ConfinedChild<Question, Answer> {
  readonly child: Child<Question, Answer>
  readonly sqliteVersion: string
  readonly walls: readonly Wall[]
}

/**
 * A child that dies at its start is started once more. The kernel's memory killer prefers our children, and a moment
 * later there may be memory.
 * @throws {Failure} CANNOT_CONFINE; READ_FAILED if it cannot be started, dies again, or takes too long
 */
export async function startConfinedChild<Question, Answer>(
  program: ConfinedProgram<Question, Answer>,
  limits: ChildLimits,
): Promise<ConfinedChild<Question, Answer>> {
  const failureOfStart = (error: ChildEndError): Failure => failureOfEnd(program.name, error.ended, startMsMax, error)
  try {
    return await startOnce(program, limits)
  } catch (error) {
    if (!(error instanceof ChildEndError)) throw error
    if (error.ended.how === 'killed-timeout') throw failureOfStart(error)
  }
  await sleep(secondStartAfterMs)
  return startOnce(program, limits).catch((error: unknown) => {
    throw error instanceof ChildEndError ? failureOfStart(error) : error
  })
}

async function startOnce<Question, Answer>(
  { path, env, confine }: ConfinedProgram<Question, Answer>,
  { niceness, memoryBytesMax }: ChildLimits,
): Promise<ConfinedChild<Question, Answer>> {
  const options = { ownSession: true, niceness, memoryBytesMax, env, youngMegabytesMax: 2 }
  const child = await startChild<Question, Answer>(path, options)
  try {
    const { sqliteVersion, confinement } = await confine(child, startMsMax)
    if (confinement.kind === 'refused') throw cannotConfine(confinement.why)
    return { child, sqliteVersion, walls: confinement.walls }
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw asFailure(error)
  }
}

/** READ_FAILED for a shortage of the machine; CANNOT_CONFINE for what the process may not do here. */
function asFailure(error: unknown): unknown {
  const failure = systemFailure(error, { doing: 'confine a process that reads', path: null, code: 'CANNOT_CONFINE' })
  return failure instanceof Failure && failure.concerns === 'machine' ? failure.withCode('READ_FAILED') : failure
}
