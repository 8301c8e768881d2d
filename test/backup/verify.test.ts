/** Verification: the oldest first, within its limits, and by a full check of what comes out. */
import { mkdirSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { writeManifest } from '../../src/backup/manifest.ts'
import { verifyBackups, type VerifyTerms, type VerifyTotals } from '../../src/backup/verify.ts'
import { tenantId, type SnapshotPath } from '../../src/model/brand.ts'
import type { Backup } from '../../src/model/result/backup.ts'
import { noEvidence } from '../../src/model/result/evidence.ts'
import { acmeFile, day, never, rows, useStore } from '../support/backup/sound-files.ts'
import { create } from '../support/databases/create-database.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'

const store = useStore()

/** Keeps a backup that was verified last on this day; null: never. */
async function keepVerifiedOn(tenant: string, verifiedAt: string | null): Promise<Backup> {
  const { backup } = await store.keep(rows(20), { tenant: tenantId(tenant) })
  const { folder, manifest } = await store.backups.find(backup.id)
  if (manifest === null) throw new Error('it was just written')
  await writeManifest(folder, { ...manifest, verifiedAt })
  return backup
}

interface VerifyResult extends VerifyTotals {
  readonly begun: readonly string[]
  readonly kinds: readonly string[]
}

async function verify(terms: Partial<VerifyTerms> = {}): Promise<VerifyResult> {
  const scratch = store.file('scratch')
  mkdirSync(scratch, { recursive: true, mode: 0o700 })
  const begun: string[] = []
  const kinds: string[] = []
  const totals = await verifyBackups(
    store.backups.list(),
    { checker: store.checker, accept: [], scratch, maxAgeMs: null, budgetMs: null, ...terms },
    {
      onBegin: ({ tenant }) => begun.push(String(tenant)),
      onVerified: ({ kind, backup }) => kinds.push(`${backup.tenant} ${kind}`),
    },
    never,
  )
  expect(readdirSync(scratch)).toEqual([])
  return { ...totals, begun, kinds }
}

test('the one whose verification is oldest comes first, and one that was never verified before all', async () => {
  await keepVerifiedOn('a', day(3))
  await keepVerifiedOn('b', day(1))
  const c = await keepVerifiedOn('c', null)
  await keepVerifiedOn('d', day(2))
  expect((await store.backups.find(c.id)).backup.state).toBe('unverified')
  expect(await store.backups.newestVerified({ ...acmeFile, tenant: tenantId('c'), before: null })).toBeNull()
  expect((await verify()).begun).toEqual(['c', 'b', 'd', 'a'])
  expect((await store.list()).map(({ state }) => state)).toEqual(['verified', 'verified', 'verified', 'verified'])
})

test('those that are young enough are left out', async () => {
  await keepVerifiedOn('old', day(1))
  await keepVerifiedOn('young', new Date().toISOString())
  expect(await verify({ maxAgeMs: 3_600_000 })).toMatchObject({ begun: ['old'], verified: 1, notReached: 0 })
})

test('what does not fit into the budget is left for the next time', async () => {
  for (const tenant of ['a', 'b', 'c']) await keepVerifiedOn(tenant, day(1))
  const { begun, verified, notReached } = await verify({ budgetMs: 1 })
  expect(begun.length).toBe(verified)
  expect([verified < 3, verified + notReached]).toEqual([true, 3])
})

test('bytes that come out as they went in are not enough: a damaged database is broken', async () => {
  const path = store.file('damaged.db') as SnapshotPath
  create(path, 4096, rows(400))
  {
    using database = new EditableDatabase(path)
    database.write(database.leaf('events'), Buffer.alloc(4096))
  }
  // As if it had been kept unchecked.
  const about = { service: null, origin: 'copied', takenAt: day(1), content: { format: '', tables: [] } } as const
  const tool = { version: '0.0.0', sqlite: '' }
  const { backup } = await store.backups.keep(path, { ...acmeFile, ...about, evidence: noEvidence, tool }, never)
  expect((await verify()).kinds).toEqual(['acme broken'])
  expect(await store.list()).toMatchObject([
    { id: backup.id, state: 'broken', failure: { message: expect.stringContaining('a full check found it damaged') } },
  ])
  expect(await store.backups.newestVerified({ ...acmeFile, before: null })).toBeNull()
})
