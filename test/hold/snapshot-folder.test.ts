/** Private folders of runs over bare files, beside those of other runs. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openSnapshotFolder } from '../../src/hold/snapshot-folder.ts'
import { startTimeOf } from '../../src/host/processes.ts'

const parent = mkdtempSync(join(tmpdir(), 'snapshot-folder-'))
afterAll(() => rmSync(parent, { recursive: true }))

test('what a run that is gone left is deleted, what another has or may have stays', async () => {
  const owned = (name: string, owner: string | null): string => {
    mkdirSync(join(parent, name))
    if (owner !== null) writeFileSync(join(parent, name, 'owner'), owner)
    return name
  }
  const stay = [owned('holdfast-living', `${process.ppid}-${startTimeOf(process.ppid)}`), owned('holdfast-time-not-known', `${process.ppid}-unknown`), owned('holdfast-not-owned', null)]
  const gone = owned('holdfast-gone', `${process.ppid}-1`)
  {
    await using folder = await openSnapshotFolder(parent, null)
    expect(existsSync(folder.path)).toBe(true)
    expect(readdirSync(parent)).not.toContain(gone)
  }
  expect(readdirSync(parent).toSorted()).toEqual(stay.toSorted())
})
