/** A ledger that was lost: the next run and every reader say so. */

import { rmSync, truncateSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openLedger, readLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { holdAsked, fileIn, scratch } from '../support/ledger/sample-events.ts'
import { notes, write } from '../support/ledger/services.ts'

describe('a ledger that was lost', () => {
  test('an empty file is set aside with a notice, and its holds are unknown', async () => {
    using folder = scratch()
    await write(folder.path, notes, holdAsked('h', 'acme'))
    truncateSync(fileIn(folder.path), 0)
    await expect(readLedger(folder.path, notes)).rejects.toMatchObject({
      code: 'LEDGER_UNUSABLE',
      message: expect.stringContaining('it is empty') as string,
    })
    await using ledger = await openLedger(folder.path, newRunId(), notes)
    expect([ledger.notice, ledger.holdsLost]).toEqual([
      expect.stringMatching(
        /^the ledger was damaged \(it is empty\); holdfast renamed it to ledger\.damaged-.*could not be read from it/,
      ),
      true,
    ])
  })

  test('the notice says that it is gone, for readers too', async () => {
    using folder = scratch()
    await write(folder.path, notes, holdAsked('h', 'acme'))
    rmSync(fileIn(folder.path))
    {
      await using reading = await readLedger(folder.path, notes)
      expect([reading.notice, reading.holdsLost]).toEqual([
        expect.stringMatching(/is gone, though runs were recorded/),
        true,
      ])
    }
    await using ledger = await openLedger(folder.path, newRunId(), notes)
    expect([ledger.notice, ledger.holdsLost]).toEqual([
      expect.stringMatching(/^the ledger is gone, though runs were recorded in it; holdfast began a new one/),
      true,
    ])
  })
})
