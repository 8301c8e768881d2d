/** The process that has the run lock, as it signs the file for other runs. */

import * as z from 'zod/mini'
import { ownMark } from '../../host/process/owner-mark.ts'
import { jsonOrNull } from '../../text/json-text.ts'

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
 * `since`: ms since 1970. `locked`: true if it has the kernel's lock of the file. `command`: the beginning of its
 * command line. The other fields together identify one process, also among earlier ones.
 */
export type RunOwner = z.infer<typeof shape>

/** The file of the run lock has at most so many bytes. */
export const ownerBytesMax = 4096

export function ownerOfThisRun(run: string | null, locked: boolean): RunOwner {
  return { ...ownMark(), run, since: Date.now(), locked, command: commandLine().slice(0, commandLengthMax) }
}

/** Not yet printable: the code that shows it must make it so. */
const commandLine = (): string => ['holdfast', ...process.argv.slice(2)].join(' ')
/** Even with every letter escaped, the whole file stays within `ownerBytesMax`. */
const commandLengthMax = 200

/** null for text that is empty or that holdfast did not write. */
export function readOwner(text: string): RunOwner | null {
  return shape.safeParse(jsonOrNull(text)).data ?? null
}
