/** Names within a reason: the first few, and how many more there are. */

import { listFirst } from '../../text/count.ts'
import { legibleName } from '../text/legible.ts'

const namedMax = 3

export const someNames = (names: readonly string[], total = names.length): string =>
  listSome(
    names.slice(0, namedMax).map((name) => legibleName(name)),
    total,
  )

/** @param items printable, and unbroken by lines */
export const listSome = (items: readonly string[], total = items.length): string =>
  listFirst(items.slice(0, namedMax), total)
