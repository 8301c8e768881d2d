/**
 * Why the program of a command could not be started, without starting it. Only what is certain counts: if our rights
 * decide, the system is left to say so at the start.
 */
import { closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isNotFound, isSystemError } from '../../host/failures/system-failure.ts'
import { shellWord } from '../../text/shell-words.ts'
import { quoteText } from '../quote-text.ts'

interface Obstacle {
  readonly why: string
  /** Whether `why` names the program. */
  readonly isNamed: boolean
  readonly hint: string
}

/** @param program a path, or a name that is looked up in PATH. @returns null if nothing is known to hinder it */
export function obstacleOf(program: string): Obstacle | null {
  if (program.includes('/')) return obstacleAt(program)
  const searched = process.env['PATH']
  if (searched === undefined) return null
  const why = `there is no program ${quoteText(program)} in PATH (${quoteText(searched)})`
  let first: Obstacle = { why, isNamed: true, hint: 'give its absolute path' }
  for (const path of searched.split(':').map((folder) => join(folder, program))) {
    const found = obstacleAt(path)
    if (found === null) return null
    if (found !== absentProgram && first.why === why)
      first = { ...found, why: `${quoteText(path)}: ${found.why}`, isNamed: true }
  }
  return first
}

const obstacle = (why: string, hint: string): Obstacle => ({ why, isNamed: false, hint })
export const absentProgram = obstacle('there is no such file', 'check the path')

function obstacleAt(path: string): Obstacle | null {
  try {
    const found = statSync(path)
    if (found.isDirectory()) return obstacle('it is a folder', 'name a program in it')
    if (!found.isFile()) return null
    if ((found.mode & 0o111) === 0) return obstacle('it is not executable', `chmod +x ${shellWord(path)}`)
    return obstacleOfInterpreter(path)
  } catch (error) {
    if (!isSystemError(error)) throw error
    return isNotFound(error) ? absentProgram : null
  }
}

/** A script names its interpreter in its first line. @throws a system error */
function obstacleOfInterpreter(path: string): Obstacle | null {
  const [, interpreter] = /^#![ \t]*(\/[^ \t\n]*)[ \t\n]/.exec(beginningOf(path)) ?? []
  if (interpreter === undefined || obstacleAt(interpreter) !== absentProgram) return null
  return obstacle(
    `its first line names ${JSON.stringify(interpreter)}, which is not there`,
    interpreter.endsWith('\r')
      ? 'remove the carriage returns (\\r) at the ends of its lines: the system takes them for a part of the name'
      : 'correct the first line of the program, or install what it names',
  )
}

function beginningOf(path: string): string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const bytes = Buffer.alloc(256)
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0)).toString('latin1')
  } finally {
    closeSync(descriptor)
  }
}
