/**
 * All errors in a `SuppressedError` (`using` makes one of an error and that of its cleanup); the first thrown comes
 * last.
 */
export function withSuppressed(error: unknown): readonly unknown[] {
  // By name: in Node 22 the class exists only as a stand-in of the compiler.
  if (!(error instanceof Error) || error.name !== 'SuppressedError') return [error]
  const { error: thrown, suppressed } = error as Error & { error: unknown; suppressed: unknown }
  return [...withSuppressed(thrown), ...withSuppressed(suppressed)]
}
