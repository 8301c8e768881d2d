/** A host is silent only if this process watched for long enough: wall clocks take no part. */
import { expect, test } from 'vitest'
import { HostWatch, silentAfterMs } from '../../../src/fleet/coordinator/host-watch.ts'

const hour = 3_600_000

function watchAt(start: number) {
  const clock = { ms: start }
  return { clock, watch: new HostWatch(() => clock.ms) }
}

const seen = (name: string, at: number) => ({ name, seen_at: new Date(at) })

test('a host is silent after it was not seen for half an hour, and no longer once it is seen', () => {
  const { clock, watch } = watchAt(0)
  for (; clock.ms < silentAfterMs; clock.ms += 30_000) {
    watch.look([seen('a', 1), seen('b', clock.ms)])
    expect(['a', 'b'].map((host) => watch.isSilent(host))).toEqual([false, false])
  }
  watch.look([seen('a', 1), seen('b', 2)])
  expect(['a', 'b'].map((host) => watch.isSilent(host))).toEqual([true, false])
  watch.look([seen('a', 3), seen('b', 2)])
  expect(watch.isSilent('a')).toBe(false)
})

test('a time without a look, as while the database is away, does not count', () => {
  const { clock, watch } = watchAt(0)
  watch.look([seen('a', 1)])
  clock.ms = 2 * silentAfterMs
  // Whoever asks may be sooner than the next look.
  expect(watch.isSilent('a')).toBe(false)
  watch.look([seen('a', 1)])
  expect(watch.isSilent('a')).toBe(false)
})

test('times without a look, as while a large run is fed, make no host seem alive', () => {
  const { clock, watch } = watchAt(0)
  for (; clock.ms < 2 * silentAfterMs; clock.ms += clock.ms % 600_000 === 0 ? 90_000 : 30_000)
    watch.look([seen('a', 1), seen('b', clock.ms)])
  expect(['a', 'b'].map((host) => watch.isSilent(host))).toEqual([true, false])
})

test('a clock of the database that is stepped makes no host silent', () => {
  const { clock, watch } = watchAt(0)
  watch.look([seen('a', 10 * hour)])
  clock.ms = 1_000
  watch.look([seen('a', 9 * hour)])
  watch.look([seen('a', 12 * hour)])
  expect(watch.isSilent('a')).toBe(false)
})

test('a host that was seen long ago is not silent before it was watched, and an unknown one is', () => {
  const { watch } = watchAt(5)
  watch.look([seen('a', 0)])
  expect([watch.isSilent('a'), watch.isSilent('b')]).toEqual([false, true])
  expect(watch.names).toEqual(['a'])
})
