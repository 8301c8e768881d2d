/** A file that is no database: as what is to be mended, and as what is named in the place of a backup. */
import { truncateSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { onlyRemedy, remedyOf, zeroTableLeaf } from '../../support/cli/remedies.ts'

const wounds = [
  ['EMPTY_FILE', (path: string): void => truncateSync(path, 0)],
  ['NOT_SQLITE', (path: string): void => writeFileSync(path, 'no database')],
] as const

it.each(wounds)('a bare file that no ledger knows is inconclusive: %s', async (code, wound) => {
  using folder = makeFolder()
  const [path, backup] = [makeDatabase(folder.in('app.db')), makeDatabase(folder.in('backup.db'))]
  wound(path)
  const salvage = await remedyOf('salvage', path, '--to', folder.in('new.db'))
  expect(onlyRemedy(salvage)).toMatchObject({
    before: { verdict: 'inconclusive', damage: 'none', findingsTotal: 0 },
    failure: { code },
  })
  expect(salvage.summary.exitCode).toBe(3)
  const restore = onlyRemedy(await remedyOf('restore', path, '--from', backup, '--apply'))
  expect(restore).toMatchObject({ before: { verdict: 'inconclusive' }, applied: { verdict: 'sound' }, failure: null })
  const undone = onlyRemedy(await remedyOf('restore', path, '--undo'))
  expect(undone.failure).toBeNull()
})

it('a named file has a time of verification only if it was found sound in this run', async () => {
  using folder = makeFolder()
  const [path, backup] = [makeDatabase(folder.in('app.db'), { rows: 2_000 }), makeDatabase(folder.in('backup.db'))]
  zeroTableLeaf(path)
  writeFileSync(folder.in('text'), 'no database')
  const refused = onlyRemedy(await remedyOf('restore', path, '--from', folder.in('text')))
  expect(refused.failure?.code).toBe('BACKUP_BROKEN')
  expect(refused.plan.backup).toMatchObject({ takenAtLatest: true, verifiedAt: null })
  const begun = Date.now()
  const sound = onlyRemedy(await remedyOf('restore', path, '--from', backup))
  expect(Date.parse(sound.plan.backup?.verifiedAt ?? '')).toBeGreaterThan(begun)
})
