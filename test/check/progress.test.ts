import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openChecker } from '../../src/check/check.ts'
import type { ReadingProgress } from '../../src/check/reading-builder.ts'
import type { SnapshotPath } from '../../src/model/brand.ts'
import { create } from '../support/databases/create-database.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'progress-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test.each([
  ['full', 'census'],
  ['quick', 'census'],
  ['full', 'sqlite'],
] as const)(
  'progress counts the pages that are done, never fewer than before, and in the end all: %s, %s',
  async (depth, engine) => {
    // Large enough for several children, and for more than one slice of each part.
    const path = join(folder, 'large.db')
    create(path, 4096, (db) =>
      db.exec(
        'CREATE TABLE t(id INTEGER PRIMARY KEY, v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT ' +
          'i + 1 FROM n WHERE i < 15000) INSERT INTO t SELECT i, zeroblob(4000) FROM n',
      ),
    )
    const reported: ReadingProgress[] = []
    await using checker = await openChecker({
      timeoutMs: 30_000,
      memoryBytesMax: 1e9,
      niceness: 0,
      engine,
      folder,
      parallel: 2,
    })
    const { coverage } = await checker.check(path as SnapshotPath, {
      depth,
      signal: new AbortController().signal,
      onProgress: (progress) => reported.push(progress),
    })
    const done = reported.map(({ pagesDone }) => pagesDone)
    expect(done.length).toBeGreaterThan(1)
    expect(done).toEqual(done.toSorted((a, b) => a - b))
    expect(done[0]).toBeLessThan(coverage.pages)
    expect(done.at(-1)).toBe(coverage.pages)
    expect(new Set(reported.map(({ pages, pageSize }) => `${pages} ${pageSize}`))).toEqual(
      new Set([`${coverage.pages} 4096`]),
    )
  },
)
