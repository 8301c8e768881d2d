/** Where the files lead that tenants claim, whatever the service calls them. */
import { expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { inspectClaimed } from '../../../src/runs/reconcile/claimed-files.ts'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'

test('a path that no call takes names no file, and the others are inspected', async () => {
  using folder = makeFolder()
  const files = [folder.in('a\0.db'), makeDatabase(folder.in('a.db')), folder.in('x'.repeat(5000)), '']
  const targets = files.map((named) => ({ tenant: tenantId('acme'), named }))
  const claimed = await inspectClaimed(targets, [folder.path], new AbortController().signal)
  expect(claimed.map(({ state }) => state)).toEqual(['missing', 'there', 'unseen', 'missing'])
})
