/**
 * How one program of a command comes to be traced: a command starts its children with `process.execPath`, which is a
 * script of ours here. It starts the first process of that program under strace, with the pid that the parent expects.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Role } from './injection.ts'
import { straceArguments, type Fault } from './strace.ts'
import { callsIn, type Call } from './trace.ts'

/** What stands in the arguments of Node when it runs this program. */
const programOf = (role: string): string => (role === 'main' ? 'bin/holdfast.js' : `${role}-child.js`)

/** By program: what fails in its first process. null: nothing, its calls are written down. */
export type Faults = Readonly<Partial<Record<Role, Fault | null>>>

/** @param folder where nothing is @returns what starts a command, instead of Node */
export function makeLauncher(folder: string, faults: Faults): string {
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

/** What the traced process of a launcher in this folder has called; null where the program was not started. */
export function tracedCalls(folder: string, role: Role): readonly Call[] | null {
  const trace = join(folder, role, 'trace')
  return existsSync(trace) ? callsIn(readFileSync(trace, 'utf8')) : null
}
