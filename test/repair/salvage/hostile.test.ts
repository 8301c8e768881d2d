/** Files that try to crash, hang or bloat the salvage: whatever comes out is sound, and the parent lives on. */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import { salvage } from '../../../src/repair/salvage/salvage.ts'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { create, fillEvents } from '../../support/databases/create-database.ts'
import { makeHostile, makeSpecimens } from '../../support/differential/hostile-inputs.ts'
import {
  integrityBySqlite,
  readRows,
  salvageInProcess,
  salvageNames,
} from '../../support/salvage/salvage-in-process.ts'

test('a hundred hostile files end in a sound file or in none', () => {
  using folder = makeFolder()
  const specimens = makeSpecimens(5, 200_000)
  for (let seed = 1; seed <= 100; seed++) {
    const { bytes, done } = makeHostile(specimens, seed)
    const said = `seed ${seed}: ${done.join(', ')}`
    writeFileSync(folder.in(salvageNames.damaged), bytes)
    if (!trySalvage(folder)) continue
    expect(integrityBySqlite(folder.in(salvageNames.result)), said).toBe('ok')
  }
})

/** False if the file has no pages of a database. */
function trySalvage(folder: Folder): boolean {
  try {
    salvageInProcess(folder)
    return true
  } catch (error) {
    expect(String(error)).toMatch(/the header gives no page size|reserved bytes leave no room/)
    return false
  }
}

describe('the confined child', () => {
  const limits = { memoryBytesMax: 1e9, niceness: 0, timeoutMs: 60_000 }
  const signal = new AbortController().signal

  const fill = (folder: Folder): { readonly path: SnapshotPath; readonly kept: null } => {
    create(folder.in('damaged.db'), 1024, fillEvents(3000))
    return { path: folder.in('damaged.db') as SnapshotPath, kept: null }
  }

  test('writes the new file and its facts, and leaves the damaged one as it is', async () => {
    using folder = makeFolder()
    const damaged = fill(folder)
    const before = statSync(damaged.path, { bigint: true })
    const to = folder.in('new.db')
    const { tables, file, facts } = await salvage(damaged, to, { folder: folder.path, schemaOf: null, limits }, signal)
    expect([file, facts]).toEqual([to, `${to}-facts`])
    expect(readRows(to)).toEqual(readRows(damaged.path))
    expect(tables.map(({ table, rows }) => [table, rows])).toEqual([
      ['events', 3000],
      ['users', 600],
    ])
    const after = statSync(damaged.path, { bigint: true })
    expect([after.uid, after.mtimeNs, after.size]).toEqual([before.uid, before.mtimeNs, before.size])
    expect(readdirSync(folder.path).toSorted()).toEqual(['damaged.db', 'new.db', 'new.db-facts'])
  })

  test('is ended if it takes too long, and nothing is left', async () => {
    using folder = makeFolder()
    const damaged = fill(folder)
    const short = { ...limits, timeoutMs: 1 }
    await expect(
      salvage(damaged, folder.in('new.db'), { folder: folder.path, schemaOf: null, limits: short }, signal),
    ).rejects.toMatchObject({ code: 'READ_FAILED' })
    expect(readdirSync(folder.path)).toEqual(['damaged.db'])
  })

  test('is ended if a person interrupts, and nothing is left', async () => {
    using folder = makeFolder()
    const damaged = fill(folder)
    const interrupt = new AbortController()
    const reason = new Error('interrupted')
    const options = { folder: folder.path, schemaOf: null, limits, onProgress: () => interrupt.abort(reason) }
    setTimeout(() => interrupt.abort(reason), 300)
    await salvage(damaged, folder.in('new.db'), options, interrupt.signal).then(
      () => expect(existsSync(folder.in('new.db'))).toBe(true), // It was faster than the person.
      (error: unknown) => {
        expect(error).toBe(reason)
        expect(readdirSync(folder.path)).toEqual(['damaged.db'])
      },
    )
  })

  test('refuses a file without pages', async () => {
    using folder = makeFolder()
    const path = join(folder.path, 'damaged.db') as SnapshotPath
    writeFileSync(path, Buffer.alloc(50_000, 'no page'))
    await expect(
      salvage({ path, kept: null }, folder.in('new.db'), { folder: folder.path, schemaOf: null, limits }, signal),
    ).rejects.toMatchObject({ code: 'NOT_SQLITE' })
    expect(readdirSync(folder.path)).toEqual(['damaged.db'])
  })
})
