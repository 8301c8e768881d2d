/** Any files in any state, for properties of status. */

import * as fc from 'fast-check'
import type { TenantSummary } from '../../src/report/status/status-view.ts'
import { now, wasDamaged, wasSound } from './status.ts'

/** Text that a terminal, a monitor or a scraper could take for something else. */
export const confusingText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom('a|b=1', 'x"y\\z\n', '日本'.repeat(200), '\u001b[2J'),
)
export const anyTenant = fc.record({
  tenant: confusingText,
  path: confusingText,
  verdict: fc.constantFrom('sound', 'damaged', 'inconclusive', 'failed', null),
  damage: fc.constantFrom('none', 'table'),
  level: fc.constant('sealed'),
  depth: fc.constantFrom('quick', 'full'),
  checkedAt: fc.option(fc.integer({ min: 0, max: now }), { nil: null }),
  pauseMs: fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: null }),
  failure: fc.constantFrom(null, 'IN_USE', 'TOO_LARGE_FOR_PAUSE'),
  settled: fc.constantFrom(null, wasSound, wasDamaged, { ...wasDamaged, at: 5 }),
}) as fc.Arbitrary<TenantSummary>
