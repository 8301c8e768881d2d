/** The error and those that its cleanup suppressed (`using` makes one of them), the first thrown last. */
export function withSuppressed(error: unknown): readonly unknown[] {
  // By name: Node 22 knows the class only as the compiler's stand-in.
  if (!(error instanceof Error) || error.name !== 'SuppressedError') return [error]
  const { error: thrown, suppressed } = error as Error & { error: unknown; suppressed: unknown }
  return [...withSuppressed(thrown), ...withSuppressed(suppressed)]
}
