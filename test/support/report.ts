import { tenantId } from '../../src/model/brand.ts'
import type { ExitCode } from '../../src/model/exit-code.ts'
import { noEvidence } from '../../src/model/result/evidence.ts'
import type { Evidence } from '../../src/model/result/evidence.ts'
import type { Report, Result } from '../../src/model/result/report.ts'
import { ResultCounts } from '../../src/report/summary.ts'
import { displayWidth } from '../../src/text/layout.ts'

export const quiesce = {
  via: 'admin-api',
  leaseId: 'l-1',
  fence: 7,
  bootId: 'b-1',
  heldMs: 9,
  continuous: true,
  sqliteVersion: '3.46.0',
} as const

export const sealed: Evidence = {
  level: 'sealed',
  lock: { kind: 'ofd', ranges: ['1073741824+512'] },
  probe: {
    before: { raw: 'refused', read: 'refused', write: 'refused' },
    after: { raw: 'refused', read: 'refused', write: 'refused' },
  },
  lease: { state: 'held', files: 2 },
  pin: null,
  holders: [],
  unseen: [],
  proofs: [1, 2].map((second) => ({
    at: `2026-11-21T03:04:0${second}.000Z`,
    changeCounter: 7,
    walSalts: '00112233aabbccdd',
    files: [
      {
        part: '' as const,
        dev: '2049',
        ino: '1311',
        size: 8192,
        mtimeNs: '1700000000000000000',
        ctimeNs: '1700000000000000000',
        links: 1,
        lease: 'write' as const,
      },
    ],
  })),
  quiesce,
  snapshot: {
    sha256: 'ab'.repeat(32),
    bytes: 560_599_040,
    method: 'warm+tail',
    tailBytes: 4152,
    files: [{ part: '', bytes: 560_599_040, sha256: 'ab'.repeat(32) }],
  },
  fileSystem: 'ext4',
  attempts: 1,
}

export const sound = (id: string, more: Partial<Result> = {}): Result => ({
  tenant: tenantId(id),
  path: `/srv/notes/${id}.db`,
  verdict: 'sound',
  damage: 'none',
  findings: [],
  findingsTotal: 0,
  remedy: { do: 'nothing', indexes: [], rehearsed: false, why: 'nothing was found', command: null },
  causes: [],
  coverage: { pages: 2, pagesRead: 2, objects: 1, skipped: [] },
  content: { tables: [{ name: 'notes', rows: 3, digest: null }] },
  evidence: sealed,
  timings: { warmMs: 900, pauseMs: 9, predictedPauseMs: 12, checkMs: 1300, totalMs: 2300 },
  depth: 'full',
  readBy: { engine: 'sqlite', sqlite: '3.54.1', confinement: ['own-folder', 'other-user', 'few-calls'] },
  ...more,
})

export const damaged = (id: string, more: Partial<Result> = {}): Result =>
  sound(id, {
    verdict: 'damaged',
    damage: 'index',
    findingsTotal: 1,
    findings: [
      {
        rule: 'row-missing-from-index',
        severity: 'damage',
        source: 'census',
        object: { kind: 'index', name: 'events_kind', table: 'events' },
        page: 812,
        trail: [5, 91, 812],
        rows: [17, 4242],
        total: 2,
        text: '2 rows of events are missing from index events_kind',
      },
    ],
    remedy: {
      do: 'rebuild',
      indexes: ['events_kind'],
      rehearsed: false,
      why: 'the index can be built anew from its table',
      command: `holdfast repair --tenant ${id}`,
    },
    causes: [{ hint: 'wal-reset-bug', why: 'the service runs SQLite 3.46.0' }],
    ...more,
  })

export const unproven = (id: string, more: Partial<Result> = {}): Result =>
  sound(id, {
    verdict: 'inconclusive',
    reason: 'somebody has the file open',
    remedy: { do: 'nothing', indexes: [], rehearsed: false, why: 'somebody has the file open', command: null },
    failure: { code: 'IN_USE', message: 'somebody has the file open', hint: 'see who', tenantState: 'active' },
    evidence: {
      ...noEvidence,
      holders: [{ pid: 4711, command: 'sqlite3', modes: ['write', 'mapped'], path: `/srv/notes/${id}.db` }],
      unseen: ['other pid namespaces'],
    },
    timings: { warmMs: null, pauseMs: 12, predictedPauseMs: null, checkMs: null, totalMs: 40 },
    readBy: null,
    ...more,
  })

export const failed = (id: string, more: Partial<Result> = {}): Result =>
  unproven(id, {
    verdict: 'failed',
    failure: {
      code: 'ADMIN_UNREACHABLE',
      message: 'no answer from /run/notes/admin.sock',
      hint: 'is the service running?',
      tenantState: 'untouched',
    },
    evidence: noEvidence,
    ...more,
  })

export const paused = (id: string): Result =>
  failed(id, {
    failure: { code: 'RESUME_FAILED', message: 'the resume was lost', hint: 'resume now', tenantState: 'maybe-paused' },
  })

export function report(results: readonly Result[], more: Partial<Report['run']> = {}, notCovered = 0): Report {
  return {
    schema: 'holdfast.report/1',
    tool: { version: '0.1.0', sqlite: '3.54.1' },
    run: {
      id: '01JABCDEF',
      mode: 'sweep',
      startedAt: '2026-11-21T03:04:00.000Z',
      finishedAt: '2026-11-21T03:05:00.000Z',
      registry: 'live',
      ...more,
    },
    results,
    summary: summarize(results, notCovered),
  }
}

/** The summary of these results at the end of a run. */
export function summarize(
  results: readonly Result[],
  notCovered: number,
  end: { readonly stopped?: ExitCode; readonly signal?: ExitCode } = {},
): Report['summary'] {
  const tally = new ResultCounts()
  for (const result of results) tally.add(result)
  return tally.summary(
    notCovered,
    tally.exitCode({ notCovered, stopped: end.stopped ?? null, signal: end.signal ?? null }),
  )
}

/** Lines that are too wide and could have been wrapped. A label, name or path that is too long stays on one line. */
export const needlesslyWide = (text: string, width: number): readonly string[] =>
  text
    .split('\n')
    .filter(
      (line) =>
        displayWidth(line) > width && !line.startsWith('    holdfast ') && !/^ *(?:\S+ {2,}){0,2}\S+$/u.test(line),
    )
