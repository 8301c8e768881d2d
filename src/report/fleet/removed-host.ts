/** What `fleet agents --remove` has done, in sentences. */
import type { RemovedHost } from '../../fleet/status/remove-host.ts'
import { count, groupDigits } from '../../text/count.ts'
import { wrap } from '../../text/layout.ts'
import { someNames } from '../status/name-some.ts'
import { withConfigurations } from '../text/hint.ts'
import { legibleName } from '../text/legible.ts'
import type { TextOptions } from '../text/result-words.ts'

export function removedHostText(removed: RemovedHost, { width, config = null }: TextOptions): readonly string[] {
  const { host, tenants, files, damaged, onNoHost, listed, outboxRows, runs } = removed
  const names = listed.map(({ tenant }) => tenant)
  const sentences = [
    `${legibleName(host)} was removed from the fleet, with ${count(tenants, 'tenant')} (${count(files, 'file')}). ` +
      'Their results stay in the history.',
    ...(damaged === 0 ? [] : [`Damaged when they were last checked: ${count(damaged, 'file')} of them.`]),
    ...(onNoHost === 0
      ? ['Each of these tenants is on another host too.'].slice(tenants === 0 ? 1 : 0)
      : [
          `On no other host of the fleet: ${count(onNoHost, 'tenant')} (${someNames(names, onNoHost)}). ` +
            '`holdfast fleet reconcile` names them until a host has them.',
        ]),
    ...(outboxRows === 0
      ? []
      : [`Its agent had ${groupDigits(outboxRows)} results that it did not deliver: they are only on the host.`]),
    ...(runs.length === 0
      ? []
      : [`What ${someNames(runs)} still had for it is left out: the run ends with the other hosts.`]),
    'If its agent starts again, the host is a part of the fleet again.',
  ]
  return sentences.flatMap((sentence) => wrap(withConfigurations(sentence, config), width))
}
