/** What ends a wait for a call that may hang. */
import { expect, test } from 'vitest'
import { nullOnAbort } from '../../src/host/clock.ts'

test('a race with a call that hangs ends when the signal aborts, and immediately if it has already', async () => {
  const hanging = new Promise<string>(() => {})
  const over = new AbortController()
  const raced = Promise.race([hanging, nullOnAbort(over.signal)])
  expect(await Promise.race([raced, Promise.resolve('still waiting')])).toBe('still waiting')
  over.abort()
  expect(await raced).toBeNull()
  expect(await Promise.race([hanging, nullOnAbort(over.signal)])).toBeNull()
})
