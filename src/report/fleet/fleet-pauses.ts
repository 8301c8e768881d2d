/** What `fleet pause` and `fleet resume` say. */
import { placeOfScope, type Breaker } from '../../fleet/pause/breaker.ts'
import type { PausedTenant } from '../../fleet/pause/stop-pauses.ts'
import { count } from '../../text/count.ts'
import { jsonText } from '../../text/json-text.ts'
import { wrap } from '../../text/layout.ts'
import { printable } from '../../text/printable.ts'
import { shellWord } from '../../text/shell-words.ts'

export interface FleetPauses {
  /** Closed by this command. */
  readonly closed: readonly Breaker[]
  /** Open when it ended. */
  readonly open: readonly Breaker[]
  /** Tenants that may still be paused; null if that was not asked. */
  readonly standing: readonly PausedTenant[] | null
}

export function fleetPausesText({ closed, open, standing }: FleetPauses, width: number): string {
  const said = [
    ...closed.map((breaker) => `Tenants of ${placeOfScope(breaker.scope)} may be paused again. ${whyOf(breaker)}`),
    ...open.map((breaker) => `No host pauses a tenant of ${placeOfScope(breaker.scope)} any more. ${whyOf(breaker)}`),
    ...(closed.length + open.length === 0 ? ['Nothing was stopped.'] : []),
    ...(standing === null ? [] : [pausedText(standing)]),
    ...open.map(({ scope }) => `To let pauses go on: \`${resumeCommand(scope)}\``),
  ]
  return `${said.flatMap((one) => wrap(one, width)).join('\n')}\n`
}

/** @param action what was done */
export const fleetPausesDocument = (
  action: 'pause' | 'resume',
  { closed, open, standing }: FleetPauses,
  exitCode: number,
): string =>
  `${jsonText({
    schema: 'holdfast.fleetpauses/1',
    action,
    closed: closed.map(breakerDocument),
    open: open.map(breakerDocument),
    standing: standing?.map(({ holder, since }) => ({ host: holder, since: since.toISOString() })) ?? null,
    exitCode,
  })}\n`

const breakerDocument = ({ scope, reason, since, by }: Breaker) => ({ scope, reason, since: since.toISOString(), by })

const whyOf = ({ reason, since, by }: Breaker): string =>
  `Stopped at ${timeOf(since)} by ${printable(by)}: ${printable(reason)}`

function pausedText(standing: readonly PausedTenant[]): string {
  if (standing.length === 0) return 'No tenant is paused.'
  const hosts = standing.map(({ holder, since }) => `one of ${printable(holder)} since ${timeOf(since)}`)
  return (
    `${count(standing.length, 'tenant')} may still be paused: ${hosts.join(', ')}. ` +
    '`holdfast resume --all` on that host resumes what ended runs have left paused.'
  )
}

const timeOf = (time: Date): string => `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** @param scope text of the database: untrusted */
export function resumeCommand(scope: string): string {
  const [, kind, name] = /^(service|domain):(.*)$/s.exec(scope) ?? []
  return `holdfast fleet resume${name === undefined ? '' : ` --${kind} ${shellWord(name)}`}`
}
