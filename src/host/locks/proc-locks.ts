/** One line of /proc/locks that names its owner. */
export interface KernelLock {
  readonly kind: 'lock' | 'lease'
  /** `description`: it belongs to an open file (OFD), as ours do. */
  readonly owner: 'process' | 'description'
  readonly access: 'read' | 'write'
  /** null for an open-file-description lock, and for an owner outside our pid namespace. */
  readonly pid: number | null
  /** `major:minor`, decimal. */
  readonly device: string
  readonly ino: bigint
  /** Offsets of the first byte and of the last one; Infinity for the end of the file. */
  readonly first: number
  readonly last: number
}

const line = /^\d+: (POSIX|OFDLCK|FLOCK|LEASE) +\S+ +(\S+) +(-?\d+) ([\da-f]+):([\da-f]+):(\d+) (\d+) (\d+|EOF)$/gm

/** Parses /proc/locks (proc(5)). Owners that only wait for a lock (`->`) are left out. Pure. */
export function parseLocks(text: string): readonly KernelLock[] {
  return [...text.matchAll(line)].map(([, type, access, pid, major = '', minor = '', ino = '', first, last]) => ({
    kind: type === 'LEASE' ? 'lease' : 'lock',
    owner: type === 'OFDLCK' ? 'description' : 'process',
    access: access === 'WRITE' ? 'write' : 'read',
    pid: Number(pid) > 0 ? Number(pid) : null,
    device: `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}`,
    ino: BigInt(ino),
    first: Number(first),
    last: last === 'EOF' ? Infinity : Number(last),
  }))
}
