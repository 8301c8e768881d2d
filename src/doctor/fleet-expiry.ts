/** The doctor's step about a fleet: whether a pause has surely ended when its slot is given to another tenant. */

import { guardianMs } from '../config/fleet/fleet-of.ts'
import type { Settings } from '../config/settings.ts'
import { humanMs } from '../text/units.ts'
import { fit, warning, type DoctorStep } from './steps.ts'

/** The configuration itself refuses an expiry that is too short for what is known. */
export function judgeExpiry(settings: Settings): readonly DoctorStep[] {
  const { fleet, service } = settings
  if (fleet === null || service.kind === 'files') return []
  const said =
    `a slot is freed after ${humanMs(fleet.expiryMs)}, and a pause has ended ` +
    `within ${humanMs(guardianMs(fleet.windowMs, settings))}`
  const outcome =
    service.kind === 'admin-api'
      ? fit(
          `${said}. holdfast does not try whether the service drops a request whose caller has gone: ` +
            'one that does not needs a longer fleet.expiry, by the longest time for which it may be stuck',
        )
      : warning(
          `${said}; but a quiesce command that is stuck may still pause a tenant later`,
          'raise fleet.expiry by the longest time for which that command may be stuck',
        )
  return [{ about: 'fleet.expiry', ...outcome }]
}
