/** Pages of made-up runs. */
import { tenantId } from '../../src/model/brand.ts'
import type { DrawnMap } from '../../src/model/result/page-map.ts'
import type { Report, Result } from '../../src/model/result/report.ts'
import { collectPage, type HistoryLine, type PageContext } from '../../src/report/page/page-data.ts'
import { renderPage } from '../../src/report/page/page.ts'
import { damaged, report } from './report.ts'

export const pageOf = (run: Report, context: Partial<PageContext> = {}): string => {
  const { results, ...frame } = run
  const usual = { service: 'notes', config: null, histories: new Map(), noHistory: null }
  return [...renderPage(collectPage({ frame, results: () => results }), { ...usual, ...context })].join('')
}

/** Texts that would change a page if it did not escape them. */
export const hostileTexts = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(2)>',
  "' onmouseover='alert(3)",
  '</style><style>*{display:none}</style>',
  '--><svg onload=alert(4)>',
  'javascript:alert(5)',
  '&lt;b&gt; &#0; &nbsp',
  '\u202eevil\u202c\u0000\u001b[31m\n\u2028<b>',
  '`${alert(6)}`',
] as const

const mapNamed = (name: string): DrawnMap => ({
  kind: 'drawn',
  pageSize: 4096,
  pages: 90,
  pagesPerCell: 1,
  counts: { damaged: 1, disagreeing: 0, unread: 0, unowned: 0, owned: 90, free: 0, reserved: 0, behind: 0 },
  owners: [{ object: { kind: 'table', name, table: name }, pages: 90, damagedPages: 1 }],
  ownersMore: 0,
  cells: [
    { first: 1, last: 40, state: 'owned', owner: 0 },
    { first: 41, last: 41, state: 'damaged', owner: 0 },
    { first: 42, last: 90, state: 'owned', owner: 0 },
  ],
  places: [
    { state: 'damaged', first: 41, last: 41, rule: 'page-unreadable', object: { kind: 'table', name, table: name } },
  ],
  placesMore: 0,
})

/** A damaged result in which each text from outside is this one. */
const hostileResult = (text: string): Result => {
  const found = damaged('x')
  return damaged('x', {
    tenant: tenantId(text),
    path: `/srv/${text}.db`,
    findings: found.findings.map((finding) => ({
      ...finding,
      object: { kind: 'index', name: text, table: text },
      rows: [text, [text, { blob: 'ff' }]],
      text: `2 rows of ${text} are missing`,
    })),
    remedy: { ...found.remedy, why: text, command: `holdfast repair --tenant ${text}` },
    causes: [{ hint: 'bit-rot', why: text }],
    coverage: { pages: 2, pagesRead: 1, objects: 1, skipped: [{ object: text, why: text }] },
    evidence: {
      ...found.evidence,
      holders: [{ pid: 1, command: text, modes: ['write'], path: text }],
      unseen: [text],
      fileSystem: text,
    },
    readBy: { engine: 'census', sqlite: text, confinement: [] },
    writtenBy: { sqlite: text },
    map: mapNamed(text),
  })
}

export const hostileReport = (): Report => ({
  ...report(hostileTexts.map(hostileResult), {
    registry: `cached since ${hostileTexts[0]}`,
    stopped: hostileTexts[1],
    notices: hostileTexts,
    otherHolds: hostileTexts.map((text) => ({
      tenant: text,
      holder: text,
      service: text,
      via: 'hooks' as const,
      said: text,
      next: text,
    })),
  }),
  tool: { version: hostileTexts[0], sqlite: hostileTexts[1] },
})

export const hostileHistories = (): ReadonlyMap<string, readonly HistoryLine[]> =>
  new Map(hostileTexts.map((text) => [text, [{ at: 0, run: text, what: text, isSound: false, pauseMs: 3 }]]))
