/** When the service last crashed: before the process that listens now was started. */

import type { ServiceSettings } from '../../../config/settings.ts'
import { ageMsOf, startTimeOf } from '../../../host/process/processes.ts'
import { pidsListeningOn } from '../../../host/process/socket-owner.ts'

/**
 * @param serves whether the service answers. One that is down has crashed by now
 * @returns ms since 1970; null if it is not known, as for a service on another machine or one that hides its processes
 */
export async function crashTime(settings: ServiceSettings, serves: boolean, now: number): Promise<number | null> {
  if (!serves) return now
  if (settings.kind !== 'admin-api' || settings.endpoint.kind !== 'unix') return null
  const pids = await pidsListeningOn(settings.endpoint.socket, null).catch(() => new Set<number>())
  const started = [...pids].flatMap((pid) => {
    const startTime = startTimeOf(pid)
    return startTime === null ? [] : [now - ageMsOf(startTime)]
  })
  return started.length === 0 ? null : Math.max(...started)
}
