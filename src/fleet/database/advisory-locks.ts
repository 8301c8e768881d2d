/**
 * The keys of our advisory locks, as SQL. All are held until the transaction ends. Those of pg-boss have one number.
 */
export const advisoryLock = {
  /** Makes or migrates tables. */
  migration: '7100118, 0',
  /** Makes the table of a week. */
  week: '7100118, 1',
  /** Shared by all takes of slots. Who has it alone knows that no take is under way. */
  takes: '7100118, 2',
} as const
