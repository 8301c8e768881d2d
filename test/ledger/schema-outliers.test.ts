/** Which files have another schema than most tenants, by their last sound checks. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { ServiceWay } from '../../src/model/service-way.ts'

const way = (service: string): ServiceWay => ({ service, via: 'hooks', address: service, config: '/etc/holdfast.yaml' })

/** Stores one sound check for each file, and asks. */
async function outliersAmong(files: readonly (readonly [tenant: string, path: string, schema: string | null])[]) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-outliers-'))
  try {
    await using ledger = await openLedger(folder, newRunId(), way('notes'))
    const store = ([tenant, path, schema]: (typeof files)[number]): Promise<void> =>
      ledger.storeLastGood({
        tenant: tenantId(tenant),
        path,
        schema,
        basis: null,
        paces: [],
        header: { walMode: false, changeCounter: 1, versionValidFor: 1, pageCount: 1, schemaCookie: 1 },
        standing: { provenAt: 5, bootId: '', files: [] },
        content: { format: '', tables: [] },
        pages: { format: 1, pageSize: 4096, pages: 1, groupPages: 1, groups: new Uint32Array(1) },
      })
    await Promise.all(files.map(store))
    const { outliers, total } = await ledger.schemaOutliers()
    return [total, outliers.map(({ tenant, path, alike, of }) => [tenant, path, alike, of])] as const
  } finally {
    rmSync(folder, { recursive: true })
  }
}
const tenants = (many: number, schema: string, from = 0): readonly (readonly [string, string, string])[] =>
  Array.from({ length: many }, (_, i) => [`t${from + i}`, `/srv/t${from + i}.db`, schema])

test.each([
  ['all have the same schema', tenants(40, 'a')],
  ['fewer than five tenants', [...tenants(3, 'a'), ...tenants(1, 'b', 3)]],
  ['half of them have been migrated', [...tenants(20, 'a'), ...tenants(20, 'b', 20)]],
  ['nothing is known', []],
])('%s: no news', async (_, files) => {
  expect(await outliersAmong(files)).toEqual([0, []])
})

test('one of forty differs; a file whose schema is not known does not', async () => {
  expect(await outliersAmong([...tenants(39, 'a'), ['odd', '/srv/odd.db', 'b'], ['old', '/srv/old.db', null]])).toEqual(
    [1, [['odd', '/srv/odd.db', 39, 40]]],
  )
})

test('files of two kinds have a usual schema each', async () => {
  const pairs = Array.from({ length: 10 }, (_, i) => [
    [`t${i}`, `/srv/t${i}/main.db`, 'a'] as const,
    [`t${i}`, `/srv/t${i}/t${i}-search.db`, i === 7 ? 'x' : 's'] as const,
  ]).flat()
  expect(await outliersAmong(pairs)).toEqual([1, [['t7', '/srv/t7/t7-search.db', 9, 10]]])
})

test('very many are counted, and the first are listed', async () => {
  const [total, listed] = await outliersAmong([...tenants(5000, 'a'), ...tenants(1200, 'b', 5000)])
  expect([total, listed.length]).toEqual([1200, 1000])
})
