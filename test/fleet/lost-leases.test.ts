/** Leases that keep ending under us stop the run; one that all files of a tenant lose is one. */
import { expect, test } from 'vitest'
import { StopTheLine } from '../../src/fleet/stop-the-line.ts'
import { noEvidence, type QuiesceEvidence } from '../../src/model/evidence.ts'
import type { Result } from '../../src/model/report.ts'

const quiesce: QuiesceEvidence = { via: 'admin-api', leaseId: '', fence: 1, bootId: null, heldMs: null, continuous: null, sqliteVersion: null }
const lost = (leaseId: string, path: string): Result => ({
  tenant: null, path, verdict: 'inconclusive', damage: 'none', findings: [], findingsTotal: 0, causes: [], coverage: { pages: 0, pagesRead: 0, objects: 0, skipped: [] }, content: { tables: [] },
  remedy: { do: 'nothing', indexes: [], rehearsed: false, why: '', command: null }, evidence: { ...noEvidence, quiesce: { ...quiesce, leaseId } }, reason: 'a test', depth: 'full', readBy: null,
  timings: { warmMs: null, pauseMs: null, predictedPauseMs: null, checkMs: null, totalMs: 0 }, failure: { code: 'LEASE_LOST', message: 'a test', hint: '', tenantState: 'active' },
})

test('six files of one lost pause do not stop the line, the fourth lost pause does', () => {
  const line = new StopTheLine(new AbortController().signal)
  for (const path of ['a', 'b', 'c', 'd', 'e', 'f']) line.look(lost('first', path))
  for (const lease of ['second', 'third']) line.look(lost(lease, 'a'))
  expect(line.reason).toBeNull()
  line.look(lost('fourth', 'a'))
  expect(line.reason).toMatchObject({ code: 'LEASE_LOST', message: expect.stringMatching(/^4 leases/) as string })
})
