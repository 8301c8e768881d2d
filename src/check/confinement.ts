/** The user of the reading children (hold/README.md, Security). Started by root, they run as a user without files. */
import { readFileSync } from 'node:fs'
import { Failure } from '../model/failure.ts'

export interface User {
  readonly uid: number
  readonly gid: number
}

/** A file is read by a confined process, or not at all. */
export const cannotConfine = (why: string, cause?: unknown): Failure =>
  new Failure('CANNOT_CONFINE', `the processes that read database files cannot be confined: ${why}`, { cause })

/** The usual numbers of the user `nobody`, if /etc/passwd does not have it. */
const usualNobody: User = { uid: 65_534, gid: 65_534 }

/**
 * The user to run children as. null if we are not root: they then keep our user, and only the kernel's filters confine
 * them.
 * @throws {Failure} CANNOT_CONFINE if we are root without the necessary rights. A child that stays root is not confined
 * at all, because root owns the machine's files.
 */
export function confinedUser(): User | null {
  if (process.getuid?.() !== 0) return null
  const missing = missingCapabilities()
  if (missing.length > 0) throw cannotConfine(`root lacks ${missing.join(', ')} here`)
  const lines = readIfThere('/etc/passwd').split('\n')
  const [, , uid, gid] = lines.find((line) => line.startsWith('nobody:'))?.split(':') ?? []
  const found = { uid: Number(uid), gid: Number(gid) }
  return found.uid > 0 && found.gid > 0 ? found : usualNobody
}

/**
 * The capabilities that give a child its folder and its user, open that folder, and end the child. Numbers as in
 * capabilities(7).
 */
const needed = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SYS_CHROOT: 18,
} as const

function missingCapabilities(): readonly string[] {
  const [, mask] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readIfThere('/proc/self/status')) ?? []
  if (mask === undefined) return [] // Not Linux: a right that is missing shows when it is used.
  const held = BigInt(`0x${mask}`)
  return Object.entries(needed).flatMap(([name, number]) => (((held >> BigInt(number)) & 1n) === 1n ? [] : [name]))
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
