/**
 * The configuration of what a schedule runs: `sweep`, `triage`, `status` and `resume` go on with the last valid one for
 * a time (I5.1). Commands that change data load the file itself.
 */
import {
  loadScheduledSettings,
  type OnExpiredCopy,
  type OutdatedConfiguration,
  type ScheduledSettings,
} from '../../config/last-good.ts'
import type { Settings } from '../../config/settings.ts'
import { printableSentence } from '../../text/printable.ts'
import { humanMs } from '../../text/units.ts'
import type { Terminal } from '../terminal/terminal.ts'

/**
 * Says on stderr, also with --quiet, that a copy is used and what is wrong with the file.
 * @param addNotice adds the same to the report
 * @param onExpired called before the failure, with a copy whose time is over
 * @throws {Failure} CONFIG_INVALID
 */
export async function scheduledSettings(
  given: string | null,
  terminal: Pick<Terminal, 'say'>,
  addNotice: (notice: string) => void = () => undefined,
  onExpired?: OnExpiredCopy,
): Promise<ScheduledSettings> {
  const { settings, outdated } = await loadScheduledSettings(given, Date.now(), undefined, onExpired)
  if (outdated !== null) {
    const notice = describeOutdated(outdated, settings)
    for (const line of notice.split('\n')) terminal.say(`holdfast: ${printableSentence(line)}`)
    addNotice(notice)
  }
  return { settings, outdated }
}

/** What is wrong, each mistake with its line, and until when the copy is used. */
function describeOutdated(
  { failure, keptAt, since, unrecorded }: OutdatedConfiguration,
  { registry }: Settings,
): string {
  const until = new Date(since + registry.graceMs).toISOString()
  return (
    `THE CONFIGURATION IS NOT VALID: ${failure.message}\n` +
    `this command uses the copy of ${new Date(keptAt).toISOString()} until ${until} ` +
    `(registry.grace is ${humanMs(registry.graceMs)}); correct the file before that` +
    (unrecorded === null ? '' : `\n${unrecorded}`)
  )
}
