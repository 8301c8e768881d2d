/**
 * Bytes that SQLite locks (hold/README.md, "Lock bytes"; os.h and wal.c of SQLite). Offsets in bytes; nothing is ever
 * written there by the locks.
 */

/**
 * In the database file: PENDING, RESERVED and the shared range lie in one page that SQLite never uses (page-layout.ts,
 * lock-byte page).
 */
export const lockBytes = {
  pending: 0x40000000,
  reserved: 0x40000001,
  shared: { start: 0x40000002, length: 510 },
  all: { start: 0x40000000, length: 512 },
} as const

/** In the `-shm` file. Read mark 0 means "the WAL is empty or wholly in the database file". */
export const shmLockBytes = {
  write: 120,
  checkpoint: 121,
  recover: 122,
  readMark: (n: 0 | 1 | 2 | 3 | 4): number => 123 + n,
  deadManSwitch: 128,
} as const
