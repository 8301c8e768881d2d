/** What monit says of itself in the environment of a program that it starts. All of it is untrusted text. */
import type { TriageRequest } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import { printableInUtf8 } from '../../text/printable.ts'

type MonitFields = NonNullable<TriageRequest['monit']>

/** Letters of each variable that are kept. monit's own descriptions are shorter. */
const lettersMax = 1_000

/** @throws {Failure} USAGE if this process was not started by monit */
export function readMonitFields(env: Readonly<Record<string, string | undefined>>): MonitFields {
  const said = (name: string): string => printableInUtf8((env[name] ?? '').slice(0, lettersMax))
  const service = said('MONIT_SERVICE')
  if (service === '')
    throw new Failure('USAGE', '--from-monit needs MONIT_SERVICE, which monit sets for the programs that it starts', {
      hint: 'without monit: `holdfast triage`, or `holdfast triage --detach`',
    })
  return {
    service,
    event: said('MONIT_EVENT'),
    description: said('MONIT_DESCRIPTION'),
    date: said('MONIT_DATE'),
    host: said('MONIT_HOST'),
  }
}

/** The environment without the words of monit: the triage reads them from the request that was recorded. */
export const withoutMonit = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('MONIT_')))
