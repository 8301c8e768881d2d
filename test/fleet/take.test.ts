/** A copy that is not any more what was kept when it comes to be read says nothing of the data. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openChecker } from '../../src/check/check.ts'
import { takeCopy } from '../../src/fleet/take.ts'
import { makeDatabase, makeFolder } from '../cli/folder.ts'

test('the WAL of a copy that went before its check makes it inconclusive, never an older state that is sound', async () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('app.db'), { wal: true })
  const writer = new Database(file)
  try {
    writer.exec("INSERT INTO notes(title) VALUES('only in the WAL')")
    mkdirSync(folder.in('private'), { mode: 0o700 })
    await using checker = await openChecker({ folder: folder.in('private'), parallel: 1, engine: 'census', timeoutMs: 30_000, memoryBytesMax: 1e9, niceness: 0 })
    const crew = { checker, accept: [], folder: folder.in('private'), map: false }
    const { signal } = new AbortController()
    const rowsOf = async (name: string, meanwhile: () => void): Promise<unknown> => {
      await using taken = await takeCopy({ tenant: null, named: file }, crew, name, 'full', signal)
      meanwhile()
      const { result } = await taken.check(() => undefined)
      return [result.verdict, result.failure?.code, result.content.tables.find(({ name }) => name === 'notes')?.rows]
    }
    expect(await rowsOf('whole', () => undefined)).toEqual(['sound', undefined, 51])
    expect(await rowsOf('robbed', () => rmSync(join(folder.in('private'), 'robbed/snapshot.db-wal')))).toEqual(['inconclusive', 'READ_FAILED', undefined])
    expect(await rowsOf('again', () => undefined)).toEqual(['sound', undefined, 51]) // The reader is none the worse for it.
  } finally {
    writer.close()
  }
})
