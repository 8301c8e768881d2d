/**
 * Settles as `work` does, or rejects after `ms`. What comes later than that is not awaited; `onLate` is then called
 * when it settles.
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
