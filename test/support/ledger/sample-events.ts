/** Events and results for tests of the ledger. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tenantId } from '../../../src/model/brand.ts'
import type { Event } from '../../../src/model/event.ts'
import { noEvidence } from '../../../src/model/result/evidence.ts'
import type { Evidence, FileProof } from '../../../src/model/result/evidence.ts'
import type { Result } from '../../../src/model/result/report.ts'

export const holdAsked = (holder: string, tenant = `tenant of ${holder}`): Event => ({
  kind: 'hold-asked',
  tenant: tenantId(tenant),
  holder,
  endsBy: 1_800_000_000_000,
})
export const holdQuiesced = (holder: string, tenant = `tenant of ${holder}`): Event => ({
  kind: 'hold-quiesced',
  tenant: tenantId(tenant),
  holder,
  leaseId: `lease of ${holder}`,
  fence: 7,
})
export const holdEnded = (holder: string, tenant = `tenant of ${holder}`): Event => ({
  kind: 'hold-ended',
  tenant: tenantId(tenant),
  holder,
  how: 'resumed',
  heldMs: 9,
})
export const checked = (tenant: string, change: Partial<Result> = {}): Event => ({
  kind: 'checked',
  tenant: tenantId(tenant),
  result: { ...soundResult(tenant), ...change },
})

const file = (part: FileProof['part'], size: number): FileProof => ({
  part,
  dev: '64768',
  ino: '131074',
  size,
  mtimeNs: '1795254498397000000',
  ctimeNs: '1795254498397000000',
  links: 1,
  lease: 'write',
})

const sealedEvidence: Evidence = {
  ...noEvidence,
  level: 'sealed',
  attempts: 1,
  fileSystem: 'ext4',
  lock: { kind: 'ofd', ranges: ['1073741824+512'] },
  probe: {
    before: { raw: 'refused', read: 'refused', write: 'refused' },
    after: { raw: 'refused', read: 'refused', write: 'refused' },
  },
  lease: { state: 'held', files: 3 },
  proofs: ['2026-11-21T09:00:00.000Z', '2026-11-21T09:00:00.009Z'].map((at) => ({
    at,
    files: [file('', 1_048_576), file('-wal', 4152), file('-shm', 32_768)],
    changeCounter: 42,
    walSalts: '0011223344556677',
  })),
  quiesce: {
    via: 'admin-api',
    leaseId: '0f8fad5b-d9cb-469f-a165-70867728950e',
    fence: 7,
    bootId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    heldMs: 9,
    continuous: true,
    sqliteVersion: '3.54.1',
  },
  snapshot: {
    sha256: 'ab'.repeat(32),
    bytes: 1_052_728,
    method: 'warm+tail',
    tailBytes: 4152,
    files: [
      { part: '', bytes: 1_048_576, sha256: 'ab'.repeat(32) },
      { part: '-wal', bytes: 4152, sha256: 'cd'.repeat(32) },
    ],
  },
}

export function soundResult(tenant: string): Result {
  return {
    tenant: tenantId(tenant),
    path: `/srv/notes/${tenant}.db`,
    verdict: 'sound',
    damage: 'none',
    findings: [],
    findingsTotal: 0,
    remedy: { do: 'nothing', indexes: [], rehearsed: false, why: 'nothing is wrong', command: null },
    causes: [],
    coverage: { pages: 256, pagesRead: 256, objects: 9, skipped: [] },
    content: { tables: ['notes', 'accounts', 'transfers'].map((name) => ({ name, rows: 1000, digest: null })) },
    evidence: sealedEvidence,
    depth: 'full',
    readBy: { engine: 'sqlite', sqlite: '3.54.1', confinement: ['own-folder', 'other-user', 'few-calls'] },
    timings: { warmMs: 4, pauseMs: 9, predictedPauseMs: 8, checkMs: 31, totalMs: 60 },
  }
}

export const fileIn = (dir: string): string => join(dir, 'ledger.db')

/** A new folder, which is deleted with its contents. */
export function scratch(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-ledger-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Pids of the ledger's processes that are children of `pid`. */
export function ledgerProcessesOf(pid: number): readonly number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n')
  return lines.flatMap((line) => {
    const [, child, parent, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return Number(parent) === pid && args.includes('ledger-child') ? [Number(child)] : []
  })
}
