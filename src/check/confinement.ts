/** As whom the reading children run (hold/README.md, Security): as root, they drop to a user that owns nothing else. */
import { readFileSync } from 'node:fs'
import { Failure } from '../model/failure.ts'

export interface User {
  readonly uid: number
  readonly gid: number
}

/** A file is read by a confined process or by none. */
export const cannotConfine = (why: string, cause?: unknown): Failure =>
  new Failure('CANNOT_CONFINE', `the processes that read database files cannot be confined: ${why}`, { cause })

/** The numbers that `nobody` has nearly everywhere, where /etc/passwd does not tell. */
const nobody: User = { uid: 65_534, gid: 65_534 }

/**
 * The user to confine children as; null when we are not root: then they keep our user, and lose what the kernel takes
 * from them.
 * @throws {Failure} CANNOT_CONFINE for root without the rights that it takes. A child that stays root is no weaker
 * wall but none: what root owns is the machine's.
 */
export function confinedUser(): User | null {
  if (process.getuid?.() !== 0) return null
  const missing = missingCapabilities()
  if (missing.length > 0) throw cannotConfine(`root lacks ${missing.join(', ')} here`)
  const lines = readIfThere('/etc/passwd').split('\n')
  const [, , uid, gid] = lines.find((line) => line.startsWith('nobody:'))?.split(':') ?? []
  const found = { uid: Number(uid), gid: Number(gid) }
  return found.uid > 0 && found.gid > 0 ? found : nobody
}

/**
 * What it takes to give a child its folder and its user, to look into that folder, and to end the child. Numbers of
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
  if (mask === undefined) return [] // Not Linux: whatever is missing is met on the way.
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
