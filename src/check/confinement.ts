/** As whom the reading children run (hold.md, Security): as root, they drop to a user that owns nothing else. */
import { readFileSync } from 'node:fs'

export interface User {
  readonly uid: number
  readonly gid: number
}

/** The numbers that `nobody` has nearly everywhere, where /etc/passwd does not tell. */
const nobody: User = { uid: 65_534, gid: 65_534 }

/** The user to confine children as; null when we are not root, and so cannot. */
export function confinedUser(): User | null {
  if (process.getuid?.() !== 0) return null
  const [, , uid, gid] = readFileSync('/etc/passwd', 'utf8').split('\n').find((line) => line.startsWith('nobody:'))?.split(':') ?? []
  const found = { uid: Number(uid), gid: Number(gid) }
  return found.uid > 0 && found.gid > 0 ? found : nobody
}
