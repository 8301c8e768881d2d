/**
 * The file mode mask (umask) of this process. What holdfast makes is for its own user only, whatever mask it was
 * started with. A mask that removes the owner's bits too would shut holdfast out of its own folders. The commands of
 * the service get the mask that holdfast was started with.
 */
const ours = 0o077
let given: number | null = null

/** Call it before anything is made. Children inherit the mask. */
export function restrictFileMask(): void {
  given = process.umask(ours)
}

/** The mask that holdfast was started with. */
export const initialFileMask = (): number => given ?? process.umask()

/** Starts a process with another mask. `start` must not wait, because the mask is that of the whole process. */
export function withFileMask<Started>(mask: number, start: () => Started): Started {
  const before = process.umask(mask)
  try {
    return start()
  } finally {
    process.umask(before)
  }
}
