/** Who holds the run lock, written down for whoever finds it taken. */

import * as z from 'zod/mini'
import { ownMark } from '../../host/process/owner-mark.ts'

export { isSurelyGone, isSurelyThere } from '../../host/process/owner-mark.ts'

const shape = z.object({
  pid: z.int().check(z.positive()),
  startTime: z.string(),
  bootId: z.string(),
  pidNamespace: z.string(),
  run: z.nullable(z.string()),
  since: z.number(),
  locked: z._default(z.boolean(), false),
  command: z._default(z.nullable(z.string()), null),
})
/**
 * `since` in ms since 1970; `locked`: whether it has the kernel's lock of the file; `command`: the beginning of its
 * command line. The other fields together name one process among all that ever were.
 */
export type RunOwner = z.infer<typeof shape>

/** The file of the run lock is no longer than this. */
export const ownerBytesMax = 4096

export function ourselves(run: string | null, locked: boolean): RunOwner {
  return { ...ownMark(), run, since: Date.now(), locked, command: commandLine().slice(0, commandLengthMax) }
}

/** Made printable by whoever shows it. */
const commandLine = (): string => ['holdfast', ...process.argv.slice(2)].join(' ')
/** With all its letters escaped and the rest of the note it stays within `ownerBytesMax`. */
const commandLengthMax = 200

/** null for what is empty or was not written by us. */
export function readOwner(text: string): RunOwner | null {
  try {
    return shape.safeParse(JSON.parse(text)).data ?? null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
