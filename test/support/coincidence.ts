/** For tests of what happens only if two programs meet at the right moment. */

/**
 * Tries anew until the meeting was seen, on a machine of any speed. An attempt that throws ends it: what must never
 * happen is not tried away.
 * @throws after `deadlineMs`
 */
export async function untilSeen(what: string, attempt: () => Promise<boolean>, deadlineMs = 120_000): Promise<void> {
  const end = performance.now() + deadlineMs
  for (let attempts = 1; !(await attempt()); attempts++)
    if (performance.now() > end) throw new Error(`not seen in ${attempts} attempts within ${deadlineMs} ms: ${what}`)
}
