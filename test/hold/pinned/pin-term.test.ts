/** How long the locks of a pinned snapshot may stand, and what the guardian watches. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LiveFiles } from '../../../src/hold/live/live-files.ts'
import { PinTerm } from '../../../src/hold/pinned/pin-term.ts'
import { tryShared } from '../../../src/hold/seal/shared-lock.ts'
import type { LivePath } from '../../../src/model/brand.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { createBook, wideLimits } from '../../support/pinned/pinned-files.ts'
import { runOnce } from '../../support/pinned/sqlite-program.ts'

let fixture: HoldFixture
beforeAll(async () => {
  fixture = await openHoldFixture()
})
afterAll(() => fixture[Symbol.asyncDispose]())

/** The process does nothing else meanwhile, as one that reads the open files of thousands of processes. */
const standStill = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

it.each(['release', 'letGo'] as const)(
  'a process that has released its locks is not killed, however long its next step takes (%s)',
  async (how) => {
    using folder = temporaryFolder()
    const file = folder.file('book.db')
    createBook(file)
    using files = new LiveFiles(file as LivePath, null)
    await files.openNamed()
    const { guardian } = fixture.processes
    using term = await PinTerm.begin(files, wideLimits, 0, guardian, new AbortController().signal)
    expect(tryShared(files.descriptor(''))).toBe(true)
    if (how === 'release') term.release()
    else term.letGo(new Error('the copy took too long'))
    standStill(2_500)
    expect(runOnce(file, "insert into book(title) values ('more')")).toBe('done')
  },
)
