/**
 * Settles as `work` does, or rejects after `ms`. The work is then no longer awaited, and `onLate` is called when it
 * settles.
 */
export async function within<T>(
  ms: number,
  what: string,
  work: T | Promise<T>,
  onLate: () => void = () => {},
): Promise<T> {
  let late = false
  let timer: NodeJS.Timeout | undefined
  const settled = Promise.resolve(work)
  settled.then(
    () => late && onLate(),
    () => late && onLate(),
  )
  try {
    return await Promise.race([
      settled,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          late = true
          reject(new Error(`${what} did not end within ${ms} ms`))
        }, ms)
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
}
