/** The targets that one hold takes together. */

import { expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { targetsOf } from '../../../src/runs/begin/registry.ts'
import { groupTargets } from '../../../src/runs/selection/target-groups.ts'

const named = (targets: ReturnType<typeof groupTargets>): readonly (readonly string[])[] =>
  targets.map((group) => group.map((target) => target.named))

test('all files of a tenant go together, in the order of their first; bare files go one by one', () => {
  const of = (tenant: string | null, file: string): { tenant: ReturnType<typeof tenantId> | null; named: string } => ({
    tenant: tenant === null ? null : tenantId(tenant),
    named: file,
  })
  expect(
    named(groupTargets([of('a', 'a1'), of(null, 'x'), of('b', 'b1'), of('a', 'a2'), of(null, 'y'), of('b', 'b2')])),
  ).toEqual([['a1', 'a2'], ['x'], ['b1', 'b2'], ['y']])
  expect(groupTargets([])).toEqual([])
})

test('a file that the service lists twice for a tenant is one file; two tenants may name the same', () => {
  const listed = [
    { id: tenantId('a'), files: ['/1', '/2', '/1'], state: 'active' },
    { id: tenantId('b'), files: ['/1'], state: 'active' },
  ] as const
  expect(named(groupTargets(targetsOf(listed)))).toEqual([['/1', '/2'], ['/1']])
})
