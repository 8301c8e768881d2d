/** What a change leaves beside a live file is not checked as a database by itself. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findDatabases } from '../../../src/hold/live/find-databases.ts'
import { bytesInState } from '../../support/hold/changes.ts'

it('a folder that is checked gives neither files of a change nor kept originals', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-find-'))
  try {
    const id = '01M8HBGZ8RWHH8WDCWJ0187DYB'
    const bytes = bytesInState('delete', 5)['']
    const names = [`.holdfast-${id}-1-mended`, `app.db.original-${id}`, `app.db.original-${id}.settled`]
    for (const name of ['app.db', 'app.db.original', ...names]) writeFileSync(join(folder, name), bytes)
    expect(await findDatabases(folder)).toEqual([join(folder, 'app.db'), join(folder, 'app.db.original')])
    expect(await findDatabases(join(folder, `app.db.original-${id}`))).toHaveLength(1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
