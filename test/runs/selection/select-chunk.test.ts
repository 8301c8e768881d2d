/** Which files of a chunk of the fleet are examined. */

import { expect, test } from 'vitest'
import type { LastResult } from '../../../src/ledger/ledger.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { selectChunk, type ChunkPlan } from '../../../src/runs/selection/select-chunk.ts'

const registry = {
  source: 'live' as const,
  tenants: [
    { id: tenantId('acme'), files: ['/srv/acme.db'], state: 'active' as const },
    { id: tenantId('bolt'), files: ['/srv/bolt.db', '/srv/bolt-mail.db'], state: 'active' as const },
    { id: tenantId('empty'), files: [], state: 'active' as const },
    { id: tenantId('health'), files: ['/srv/health.db'], state: 'active' as const },
  ],
}
const plan = (ids: readonly string[], ...done: readonly string[]): ChunkPlan => ({
  ids: ids.map((id) => tenantId(id)),
  isDone: (_, path) => done.includes(path),
  mayBegin: () => true,
})
const select = (given: ChunkPlan, source: 'live' | 'cached' = 'live', last: readonly object[] = []) => {
  const { targets, leading, done, unlisted } = selectChunk(
    { ...registry, source },
    given,
    'health',
    last as readonly LastResult[],
  )
  const said = unlisted.map(({ tenant, path, failure }) => `${tenant} ${path} ${failure.code}`)
  return { paths: targets.map(({ named }) => named), leading, done, said }
}

test('all files of the tenants, in the order of the chunk', () => {
  const paths = ['/srv/bolt.db', '/srv/bolt-mail.db', '/srv/acme.db']
  expect(select(plan(['bolt', 'acme', 'bolt']))).toEqual({ paths, leading: 0, done: 0, said: [] })
})

test('I1.9: the status tenant comes first, wherever the chunk has it', () => {
  expect(select(plan(['acme', 'health']))).toMatchObject({ paths: ['/srv/health.db', '/srv/acme.db'], leading: 1 })
})

test('a tenant whose files all have a result is left out; one with a file that has none is examined wholly', () => {
  expect(select(plan(['acme', 'bolt'], '/srv/acme.db', '/srv/bolt.db'))).toEqual({
    paths: ['/srv/bolt.db', '/srv/bolt-mail.db'],
    leading: 0,
    done: 1,
    said: [],
  })
})

test('a tenant without a listed file is named with the files that the ledger knows, once', () => {
  const last = [{ tenant: 'gone', path: '/srv/gone.db' }]
  expect(select(plan(['gone', 'empty', 'acme']), 'live', last)).toMatchObject({
    paths: ['/srv/acme.db'],
    said: ['gone /srv/gone.db TENANT_GONE', 'empty  TENANT_GONE'],
  })
  expect(select(plan(['gone'], '/srv/gone.db'), 'live', last).said).toEqual([])
})

test('I5.1: a copy of the list does not say that a tenant is gone', () => {
  expect(select(plan(['gone']), 'cached').said).toEqual(['gone  REGISTRY_STALE'])
})
