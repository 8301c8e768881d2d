/** Byte offsets that SQLite locks (os.h and wal.c of SQLite). A lock writes nothing at its offset. */

/**
 * In the database file. All lie in one page, the lock-byte page, which SQLite never uses (sqlite.org/fileformat2.html,
 * section 1.4).
 */
export const lockBytes = {
  pending: 0x40000000,
  reserved: 0x40000001,
  shared: { start: 0x40000002, length: 510 },
  all: { start: 0x40000000, length: 512 },
} as const

/** In the `-shm` file. A reader holds read mark 0 if the WAL is empty, or all of it is in the database file. */
export const shmLockBytes = {
  write: 120,
  checkpoint: 121,
  recover: 122,
  readMark: (n: 0 | 1 | 2 | 3 | 4): number => 123 + n,
  deadManSwitch: 128,
} as const
