/**
 * The file mode mask (umask) of this process. What holdfast makes is for its own user alone, whatever mask it was
 * started with: one that takes away the owner's bits too would shut holdfast out of its own folders. The service's
 * commands get the mask that holdfast was given.
 */
const ours = 0o077
let given: number | null = null

/** Before anything is made. Children of ours inherit it. */
export function maskForOurselves(): void {
  given = process.umask(ours)
}

/** The mask that holdfast was started with. */
export const givenMask = (): number => given ?? process.umask()

/** Starts a process with another mask. Nothing else may happen meanwhile: `start` must not wait. */
export function underMask<Started>(mask: number, start: () => Started): Started {
  const before = process.umask(mask)
  try {
    return start()
  } finally {
    process.umask(before)
  }
}
