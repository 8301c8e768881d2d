/** Which file of a change a target names: two files of a tenant may have the same name in two folders. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { FoundChange } from '../../../../src/hold/change/change-types.ts'
import { changedFilesOf } from '../../../../src/runs/remedies/apply/take-back.ts'
import type { TargetGroup } from '../../../../src/runs/selection/target-groups.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-changed-'))
  for (const place of ['one', 'two']) {
    mkdirSync(join(folder, place))
    writeFileSync(join(folder, place, 'main.db'), place)
  }
})
afterEach(() => rmSync(folder, { recursive: true }))

const changed = (...paths: readonly string[]): FoundChange =>
  ({ record: { files: paths.map((path) => ({ path, original: [] })) } }) as unknown as FoundChange
const named = (...paths: readonly string[]): TargetGroup => paths.map((path) => ({ named: path })) as never
const inFolder = (name: string): string => join(folder, name)

it('a file of the same name in another folder is not the one that was changed', async () => {
  const [one, two] = [inFolder('one/main.db'), inFolder('two/main.db')]
  const files = await changedFilesOf(changed(two), named(one, two))
  expect([...files].map(([name, { path }]) => [name, path])).toEqual([[two, two]])
})

it('a folder that has another path now is found by the names of its files', async () => {
  const before = inFolder('one/main.db')
  renameSync(inFolder('one'), inFolder('moved'))
  const after = inFolder('moved/main.db')
  const files = await changedFilesOf(changed(before), named(after))
  expect([...files].map(([name, { path }]) => [name, path])).toEqual([[after, before]])
})
