/**
 * A run that changes a file is killed (kill -9) at every call that changes a name or a byte of the live set, and each
 * of them fails once. every-call.long.test.ts tries all calls and states.
 */
import { describe, expect, it } from 'vitest'
import { breakOffAtEach } from '../../support/hold/broken-off.ts'
import { whyNotTraced } from '../../support/system-calls/strace.ts'

const untraced = whyNotTraced()
const skipped = untraced === null ? '' : ` (skipped: ${untraced})`

describe.skipIf(untraced !== null)(`a change that breaks off${skipped}`, () => {
  it('of a file with a WAL, by swap, leaves it wholly old or wholly new', async () => {
    const one = { state: 'wal', method: 'swap', what: 'change' } as const
    expect(await breakOffAtEach(one, ['renameat2', 'rename'], 'signal=SIGKILL')).toBeGreaterThan(5)
    expect(await breakOffAtEach(one, ['renameat2'], 'error=EIO')).toBe(2)
  })

  it('of a file with a hot journal, in place, leaves it wholly old or wholly new', async () => {
    const one = { state: 'delete-hot', method: 'in-place', what: 'change' } as const
    expect(await breakOffAtEach(one, ['ftruncate', 'unlink'], 'signal=SIGKILL')).toBeGreaterThan(2)
  })

  it('in place, on the way back, says which content stands', async () => {
    const one = { state: 'delete', method: 'in-place', what: 'undo' } as const
    expect(await breakOffAtEach(one, ['unlink'], 'signal=SIGKILL')).toBeGreaterThan(2)
  })
})
