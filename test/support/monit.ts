/** Real monit, in a folder of its own: its configuration, its pid, its state, and no port. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository, startProgram, type Program } from './processes.ts'

const unpacked = join(repository, 'node_modules/.debian/monit/usr/bin/monit')
const installed = spawnSync('which', ['monit'], { encoding: 'utf8' }).stdout.trim()
const monit = installed !== '' ? installed : existsSync(unpacked) ? unpacked : null

/** Why tests with monit are skipped; null if they are not. */
export const whyNoMonit = monit === null ? 'monit is neither installed nor unpacked' : null

export interface Monit extends AsyncDisposable {
  readonly log: () => string
}

/** Starts it in the foreground; it looks once a second. Disposing ends it. @param lines of its configuration */
export function startMonit(folder: string, lines: readonly string[]): Monit {
  if (monit === null) throw new Error('there is no monit')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = (name: string): string => join(folder, name)
  writeFileSync(
    file('monitrc'),
    [
      'set daemon 1',
      ...['log', 'pid', 'state', 'id'].map((name) => `set ${name}file ${file(`monit.${name}`)}`),
      ...lines,
      '',
    ].join('\n'),
    { mode: 0o600 },
  )
  const program: Program = startProgram(monit, ['-I', '-c', file('monitrc')], { HOME: folder })
  return {
    log: () => (existsSync(file('monit.log')) ? readFileSync(file('monit.log'), 'utf8') : ''),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}
