/** What `fleet pause` and `fleet resume` share: the place that they name, and what they print. */
import { hostname, userInfo } from 'node:os'
import { Option, type Command } from 'commander'
import type { FleetDatabase } from '../../fleet/database/database.ts'
import { namesOf } from '../../fleet/pause/breaker.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { fleetPausesDocument, fleetPausesText, type FleetPauses } from '../../report/fleet/fleet-pauses.ts'
import { printable } from '../../text/printable.ts'
import type { CommonOptions } from '../options.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface PauseScope {
  readonly service?: string
  readonly domain?: string
}

/** @param all what the command does without them */
export const withPlace = (command: Command, all: string): Command =>
  command
    .addOption(new Option('--service <name>', `of this service only (default: ${all})`).conflicts('domain'))
    .addOption(new Option('--domain <name>', 'of this failure domain only'))

export const scopeOf = ({ service, domain }: PauseScope): string =>
  service !== undefined ? `service:${service}` : domain !== undefined ? `domain:${domain}` : 'fleet'

/**
 * A name that no host has would stop nothing, and nobody would notice.
 * @throws {Failure} USAGE, FLEET_*
 */
export async function requireKnown(database: FleetDatabase, { service, domain }: PauseScope): Promise<void> {
  const kind = service === undefined ? 'domain' : 'service'
  const name = service ?? domain
  if (name === undefined) return
  const names = await namesOf(database, kind)
  if (names.includes(name)) return
  const known = names.length === 0 ? 'no host has registered one yet' : `there is ${names.map(printable).join(', ')}`
  throw new Failure('USAGE', `no host of the fleet has the ${kind} ${printable(name)}: ${known}`)
}

/** Who runs this command, for the userAtHost who asks later. */
export function userAtHost(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    return `user ${process.getuid?.() ?? '?'}@${hostname()}` // The system knows no name for it.
  }
}

export async function printPauses(
  action: 'pause' | 'resume',
  pauses: FleetPauses,
  exitCode: ExitCode,
  { json = false, quiet = false }: CommonOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (json) await terminal.out(fleetPausesDocument(action, pauses, exitCode))
  else if (!quiet || exitCode !== 0) await terminal.print(fleetPausesText(pauses, terminal.width))
  return exitCode
}
