/** One line of /proc/locks that names its owner. */
export interface KernelLock {
  readonly kind: 'lock' | 'lease'
  /** null for an open-file-description lock, and for an owner outside our pid namespace. */
  readonly pid: number | null
  /** `major:minor`, decimal. */
  readonly device: string
  readonly ino: bigint
}

/** Parses /proc/locks (proc(5)). Owners that only wait for a lock (`->`) are left out. Pure. */
export function parseLocks(text: string): readonly KernelLock[] {
  return [...text.matchAll(/^\d+: (POSIX|OFDLCK|FLOCK|LEASE) +\S+ +\S+ +(-?\d+) ([\da-f]+):([\da-f]+):(\d+) /gm)].map(
    ([, type, pid, major = '', minor = '', ino = '']) => ({
      kind: type === 'LEASE' ? 'lease' : 'lock',
      pid: Number(pid) > 0 ? Number(pid) : null,
      device: `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}`,
      ino: BigInt(ino),
    }),
  )
}
