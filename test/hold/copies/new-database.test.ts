/** Names of new databases: no file beside them may be taken for a part of them, and they for no part of another. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { writePulled } from '../../../src/hold/copies/manifest.ts'
import { requireNewDatabase } from '../../../src/hold/copies/new-database.ts'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import type { Evidence } from '../../../src/model/result/evidence.ts'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'

const refusal = (path: string): unknown => {
  try {
    requireNewDatabase(path)
    return null
  } catch (error) {
    return (error as { readonly code: string }).code
  }
}

test('a name that nothing has is allowed, and one that leads nowhere is taken', () => {
  using folder = makeFolder()
  expect(refusal(folder.in('new.db'))).toBe(null)
  expect(refusal(folder.in('x'.repeat(250)))).toBe(null)
  symlinkSync(folder.in('nowhere'), folder.in('link.db'))
  expect(refusal(folder.in('link.db'))).toBe('USAGE')
})

test.each(['-wal', '-shm', '-journal'])('a %s that lies beside the new name refuses it', (part) => {
  using folder = makeFolder()
  writeFileSync(folder.in(`new.db${part}`), '')
  expect(refusal(folder.in('new.db'))).toBe('USAGE')
})

test.each(['-wal', '-shm', '-journal'])('the name of the %s of another database is refused', (part) => {
  using folder = makeFolder()
  makeDatabase(folder.in('app.db'))
  mkdirSync(folder.in('links'))
  symlinkSync(folder.in('app.db'), folder.in('links/link.db'))
  for (const main of ['app.db', 'links/link.db']) expect(refusal(folder.in(main + part))).toBe('USAGE')
})

test('a snapshot is not put beside a journal that came while the tenant was held', async () => {
  using folder = makeFolder()
  makeDatabase(folder.in('app.db'))
  mkdirSync(folder.in('pulled'), { mode: 0o700 })
  writeFileSync(folder.in('pulled/app.db-journal'), 'of another database')
  const snapshot = { path: folder.in('app.db') as SnapshotPath, files: [{ part: '', bytes: 1, sha256: '' }] as const }
  const about = { tenant: null, path: '/app.db', takenAt: '', tool: { version: '' }, evidence: {} as Evidence }
  await expect(writePulled(snapshot, folder.in('pulled'), 'app.db', about)).rejects.toMatchObject({ code: 'USAGE' })
  expect(readdirSync(folder.in('pulled'))).toEqual(['app.db-journal'])
})
