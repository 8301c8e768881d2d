/** Names within a reason: the first few, and how many more there are. */

import { groupDigits } from '../../text/count.ts'
import { legibleName } from '../text/legible.ts'

const namedMax = 3

export const someNames = (names: readonly string[], total = names.length): string =>
  listSome(
    names.slice(0, namedMax).map((name) => legibleName(name)),
    total,
  )

/** @param items printable, and unbroken by lines */
export function listSome(items: readonly string[], total = items.length): string {
  const named = items.slice(0, namedMax)
  return `${named.join(', ')}${total > named.length ? ` and ${groupDigits(total - named.length)} more` : ''}`
}
