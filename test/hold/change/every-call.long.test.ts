/** As every-call.test.ts, for all calls and more states, also of an undo. Takes about half an hour on two cores. */
import { describe, expect, it } from 'vitest'
import { breakOffAtEach, type InterruptedChange } from '../../support/hold/broken-off.ts'
import { whyNotTraced } from '../../support/system-calls/strace.ts'

const cases: readonly InterruptedChange[] = [
  { state: 'wal', method: 'swap', what: 'change' },
  { state: 'wal', method: 'swap', what: 'undo' },
  { state: 'persist-hot', method: 'swap', what: 'change' },
  { state: 'delete-hot', method: 'in-place', what: 'change' },
  { state: 'wal', method: 'in-place', what: 'undo' },
  { state: 'delete', method: 'in-place', what: 'undo' },
]
const untraced = whyNotTraced()
const skipped = untraced === null ? '' : ` (skipped: ${untraced})`

describe.skipIf(untraced !== null)(`any call that breaks off${skipped}`, () => {
  describe.each(cases)('the $what of a file in state $state by $method', (one) => {
    const overwriting = one.method === 'in-place' ? ['pwrite64', 'ftruncate'] : []
    const calls = ['renameat2', 'rename', 'unlink', 'fsync', ...overwriting]
    it.each(['signal=SIGKILL', 'error=EIO', 'error=ENOSPC', 'error=EPERM'])(
      'leaves it wholly old or wholly new: %s',
      async (what) => {
        expect(await breakOffAtEach(one, calls, what)).toBeGreaterThan(5)
      },
      1_800_000,
    )
  })
})
