/**
 * Child side: judges a sample of the pages of a file, after its range was counted. All interior pages of all trees are
 * read, about one page in a hundred: they say whose each page is. The sums of rows and entries are not compared, since
 * only a part of them is known.
 */
import { findingsOfNotes } from '../../../census/differences/findings.ts'
import { layoutOf } from '../../../census/page-layout.ts'
import { trailTo } from '../../../census/scan/page-owners.ts'
import type { Finding, FoundObject, Rule } from '../../../model/result/finding.ts'
import type { SampledRange } from '../../../model/result/sample.ts'
import { nameOfObject } from '../../../sqlite/accounting/accounting-state.ts'
import { CollectedFindings } from '../../../sqlite/accounting/collected-findings.ts'
import { readReferences } from '../../../sqlite/accounting/references.ts'
import type { SampleAnswer } from '../../step-answers.ts'
import type { PageCounter } from './page-counter.ts'

export function judgeSample(counter: PageCounter, { first, last }: SampledRange): SampleAnswer {
  const { plan, owners, tally, file } = counter
  const found = new CollectedFindings()
  const bytes = new Uint8Array(plan.pageSize)
  let interior = 0
  let unread = 0
  for (const page of pagesToJudge(counter, first, last)) {
    const tree = plan.trees[(owners.trees[page] ?? 0) - 1]
    if (tree === undefined) continue
    if (page < first || page > last) interior++
    const got = file.read(page, bytes)
    if (got === 'unread') {
      unread++
      continue
    }
    bytes.fill(0, got)
    const fault = faultOf(bytes, page, counter, tree.kind === 'rowid-table' ? 'table' : 'index')
    if (fault !== null) found.add(findingOf(fault, tree.object, page, trailTo(owners, page)))
  }
  return {
    findings: [...found.findings(), ...findingsOfNotes(plan, owners, tally)],
    pagesRead: last - first + 1 + interior,
    unread: unread > 0 ? `${unread} pages could not be read from the disk` : ([...tally.unread.values()][0] ?? null),
  }
}

/** The pages of the range, and all interior pages and roots. */
function* pagesToJudge({ plan, owners }: PageCounter, first: number, last: number): Generator<number> {
  const above = new Set<number>(plan.trees.map(({ root }) => root))
  for (const parent of owners.parents) if (parent !== 0) above.add(parent)
  for (const page of above) if (page < first || page > last) yield page
  for (let page = first; page <= last; page++) yield page
}

interface PageFault {
  readonly rule: Extract<Rule, 'page-unreadable' | 'page-malformed'>
  readonly why: string
}

function faultOf(bytes: Uint8Array, page: number, { plan }: PageCounter, kind: 'table' | 'index'): PageFault | null {
  const references = readReferences(bytes, page, { ...layoutOf(plan), autoVacuum: false })
  if (references.kind === 'unreadable') return { rule: 'page-unreadable', why: references.why }
  if (references.tree !== kind) return { rule: 'page-unreadable', why: `is a page of another kind of tree` }
  return references.wrongCells > 0 ? { rule: 'page-malformed', why: `has a wrong cell: ${references.why}` } : null
}

const findingOf = (
  { rule, why }: PageFault,
  object: FoundObject,
  page: number,
  trail: readonly number[],
): Parameters<CollectedFindings['add']>[0] => ({
  rule,
  severity: 'damage' satisfies Finding['severity'],
  object,
  page,
  trail,
  text: `page ${page} of ${nameOfObject(object)} ${why}`,
  other: null,
})
