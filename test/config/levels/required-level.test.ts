/** Which seal level a tenant needs: `hold.require` as one level, and as a list of levels with patterns of ids. */

import { expect, test } from 'vitest'
import { requiredLevel } from '../../../src/config/levels/required-level.ts'
import { parseSettings } from '../../../src/config/parse.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { file, least } from '../../support/config/problems.ts'

function levelOf(require: string, tenant: string | null): string {
  const { hold } = parseSettings(`${least}hold: { require: ${require} }\n`, file)
  return requiredLevel(hold.require, tenant === null ? null : tenantId(tenant))
}

test('without the key every tenant must be sealed, and so must a bare file', () => {
  const { hold } = parseSettings(least, file)
  expect([requiredLevel(hold.require, tenantId('acme')), requiredLevel(hold.require, null)]).toEqual([
    'sealed',
    'sealed',
  ])
})

test.each(['sealed', 'exclusive', 'writer-locked', 'pinned'])('one level counts for all: %s', (level) => {
  expect([levelOf(level, 'acme'), levelOf(level, null)]).toEqual([level, level])
})

test('the first rule that fits a tenant counts', () => {
  const rules =
    '[{ level: pinned, tenants: ["wiki-*", vault] }, { level: exclusive, tenants: ["wiki-2"] }, writer-locked]'
  expect(['wiki-1', 'wiki-2', 'vault', 'vaults', 'acme'].map((id) => levelOf(rules, id))).toEqual([
    'pinned',
    'pinned',
    'pinned',
    'writer-locked',
    'writer-locked',
  ])
})

test('sealed counts where no rule fits', () => {
  expect(levelOf('[{ level: pinned, tenants: ["wiki-*"] }]', 'acme')).toBe('sealed')
})

test('no pattern fits a bare file: it has no id', () => {
  expect(levelOf('[{ level: pinned, tenants: ["*"] }, exclusive]', null)).toBe('exclusive')
  expect(levelOf('[{ level: pinned, tenants: ["*"] }]', null)).toBe('sealed')
})
