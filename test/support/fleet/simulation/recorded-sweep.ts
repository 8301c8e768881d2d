/**
 * What a sweep of 1,000 tenants of 20 kB took on two cores, each twentieth of them by one figure. A simulated agent
 * takes these times instead of checks.
 */
import { tenantId } from '../../../../src/model/brand.ts'
import type { Result } from '../../../../src/model/result/report.ts'
import { damaged, failed, sound } from '../../report.ts'

const pausesMs = [
  2.6, 2.8, 3.1, 3.4, 3.7, 4.1, 4.7, 5.3, 5.9, 6.9, 8.4, 10.5, 12.7, 16.1, 19.3, 24, 28.7, 32.9, 41.3, 59.9,
] as const
const checksMs = [2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 11, 12, 14, 15, 17, 19, 22, 28, 35, 51] as const

/** One tenant in so many. */
export const rarity = { damaged: 5_000, failed: 1_000 } as const

/** The service of all simulated hosts. */
export const simulatedService = 'notes'

export const simulatedTenant = (at: number): string => `tenant-${String(at).padStart(7, '0')}`

export const simulatedFile = (tenant: string): string => `/srv/notes/${tenant}.db`

/** How long the tenant stands still. */
export const pauseOf = (tenant: string): number => pausesMs[numberOf(tenant) % pausesMs.length] ?? 0

const numberOf = (tenant: string): number => Number(tenant.replace('tenant-', ''))

/** The result of its check, always the same. */
export function recordedResult(tenant: string): Result {
  const at = numberOf(tenant)
  const checkMs = checksMs[at % checksMs.length] ?? 0
  const timings = { warmMs: null, pauseMs: pauseOf(tenant), predictedPauseMs: null, checkMs, totalMs: checkMs }
  const digest = 'ab'.repeat(32)
  const tables = ['notes', 'tags'].map((name) => ({ name, rows: 100, digest }))
  const more = { tenant: tenantId(tenant), path: simulatedFile(tenant), timings, content: { tables } }
  if (at % rarity.damaged === 7) return damaged(tenant, more)
  return at % rarity.failed === 9 ? failed(tenant, { ...more, content: { tables: [] } }) : sound(tenant, more)
}
