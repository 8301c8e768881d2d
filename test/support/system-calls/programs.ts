/**
 * Traces one program of a command. A command starts its children with `process.execPath`, which is a script of this
 * test here. The script starts the first process of that program under strace, with the pid that the parent expects.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Role } from './injection.ts'
import { straceArguments, type Fault } from './strace.ts'
import { callsIn, type TracedCall } from './trace.ts'

/** Part of the arguments of Node when it runs this program. */
const programOf = (role: string): string => (role === 'main' ? 'bin/holdfast.js' : `${role}-child.js`)

/** By program: what fails in its first process. null: nothing fails, and its calls are recorded. */
export type FaultOfProgram = Readonly<Partial<Record<Role, Fault | null>>>

/** @param folder that does not exist yet @returns the program that starts a command in the place of Node */
export function makeLauncher(folder: string, faults: FaultOfProgram): string {
  mkdirSync(folder)
  const [launcher, preload] = [join(folder, 'node'), join(folder, 'exec-path.cjs')]
  writeFileSync(preload, `process.execPath = ${JSON.stringify(launcher)}\n`)
  const node = `'${process.execPath}' --require '${preload}' "$@"`
  const traced = Object.entries(faults).map(([role, fault]) => {
    const strace = ['strace', '-D', ...straceArguments(join(folder, role, 'trace'), fault)]
    const quoted = strace.map((word) => `'${word}'`).join(' ')
    return `*${programOf(role)}*) if mkdir '${folder}/${role}' 2>/dev/null; then exec ${quoted} ${node}; fi ;;`
  })
  writeFileSync(launcher, `#!/bin/sh\ncase "$*" in\n${traced.join('\n')}\nesac\nexec ${node}\n`)
  chmodSync(launcher, 0o755)
  return launcher
}

/** @returns the calls of the traced process; null if that program was not started */
export function tracedCalls(folder: string, role: Role): readonly TracedCall[] | null {
  const trace = join(folder, role, 'trace')
  return existsSync(trace) ? callsIn(readFileSync(trace, 'utf8')) : null
}
