/** How the ledger's file is opened. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openForReading } from '../../../src/ledger/process/database.ts'
import { LedgerUnusable } from '../../../src/ledger/process/sqlite-errors.ts'
import { scratch } from '../../support/ledger/sample-events.ts'

it('a folder that is gone makes the ledger unusable, and is no defect', () => {
  using folder = scratch()
  const file = join(folder.path, 'gone', 'ledger.db')
  expect(() => openForReading(file)).toThrow(LedgerUnusable)
  expect(() => openForReading(file)).toThrow('its folder is gone or cannot be reached')
})
