/** A copy that is not any more what was kept when it comes to be read says nothing of the data. */

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openChecker } from '../../src/check/check.ts'
import { acquireCopy } from '../../src/runs/acquire-file.ts'
import { makeDatabase, makeFolder } from '../support/cli/folder.ts'

test('a copy whose WAL went before its check is inconclusive, never sound in an older state', async () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('app.db'), { wal: true })
  const writer = new Database(file)
  try {
    writer.exec("INSERT INTO notes(title) VALUES('only in the WAL')")
    mkdirSync(folder.in('private'), { mode: 0o700 })
    const own = folder.in('private')
    const limits = { timeoutMs: 30_000, memoryBytesMax: 1e9, niceness: 0 }
    await using checker = await openChecker({ ...limits, folder: own, parallel: 1, engine: 'census' })
    const context = {
      checker,
      accept: [],
      invariants: [],
      sampleShare: null,
      ledger: null,
      backups: null,
      rehearsing: null,
      folder: own,
      map: false,
    }
    const { signal } = new AbortController()
    const rowsOf = async (name: string, meanwhile: () => void): Promise<unknown> => {
      await using taken = await acquireCopy({ tenant: null, named: file }, context, name, 'full', signal)
      meanwhile()
      const { result } = await taken.check(() => undefined)
      return [result.verdict, result.failure?.code, result.content.tables.find(({ name }) => name === 'notes')?.rows]
    }
    expect(await rowsOf('whole', () => undefined)).toEqual(['sound', undefined, 51])
    const rob = (): void => rmSync(join(own, 'robbed/snapshot.db-wal'))
    expect(await rowsOf('robbed', rob)).toEqual(['inconclusive', 'READ_FAILED', undefined])
    // The reader is none the worse for it.
    expect(await rowsOf('again', () => undefined)).toEqual(['sound', undefined, 51])
  } finally {
    writer.close()
  }
})
