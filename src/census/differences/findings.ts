/** Makes findings of a tally. */

import type { Finding } from '../../model/result/finding.ts'
import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import type { CensusPlan } from '../plan.ts'
import type { PageOwners } from '../scan/page-owners.ts'
import { trailTo } from '../scan/page-owners.ts'
import type { CensusTally } from '../scan/tally.ts'
import { findingsOnly, type DifferenceOptions } from './group-finding.ts'
import type { DifferenceSearch } from './search.ts'
import { differingIndexes } from './search.ts'

/** Findings of the notes: what is wrong on single pages. */
export function findingsOfNotes(plan: CensusPlan, owners: PageOwners, tally: CensusTally): readonly Finding[] {
  const notes = tally.notes.toSorted((a, b) => a.tree - b.tree || a.page - b.page)
  const listed = new Map<string, number>()
  const findings = notes.flatMap(({ rule, severity, tree, page, rows, text }): readonly Finding[] => {
    const object = plan.trees[tree]?.object
    listed.set(`${rule} ${tree}`, (listed.get(`${rule} ${tree}`) ?? 0) + 1)
    return object === undefined
      ? []
      : [
          {
            rule,
            severity,
            source: 'census',
            object,
            page,
            trail: trailTo(owners, page),
            ...(rows.length > 0 ? { rows, total: rows.length } : {}),
            text,
          },
        ]
  })
  const more = [...tally.noted].flatMap(([kind, count]): readonly Finding[] => {
    const unlisted = count - (listed.get(kind) ?? 0)
    const note = notes.find(({ rule, tree }) => `${rule} ${tree}` === kind)
    const object = note === undefined ? undefined : plan.trees[note.tree]?.object
    return unlisted <= 0 || note === undefined || object === undefined
      ? []
      : [
          {
            rule: note.rule,
            severity: note.severity,
            source: 'census',
            object,
            total: unlisted,
            text: `${unlisted} more of the kind: ${note.text}`,
          },
        ]
  })
  return [...findings, ...more]
}

/** Findings of differences between indexes and tables, by row. Call it after all passes of the search. */
export function findingsOfDifferences(
  plan: CensusPlan,
  owners: PageOwners,
  tally: CensusTally,
  search: DifferenceSearch,
  source: PageSource,
  options: DifferenceOptions = findingsOnly,
): readonly Finding[] {
  const named = search.unmatched.findings(owners, source, options)
  // There were more differences than passes, so the counts are lower bounds.
  const found = search.complete ? named : named.map((finding) => ({ ...finding, text: `at least ${finding.text}` }))
  // Unequal sums must always be reported, even if no single difference can be named.
  const unnamed = differingIndexes(plan, tally).filter((tree) => !search.unmatched.trees.has(tree))
  return [
    ...found,
    ...unnamed.flatMap((tree): readonly Finding[] => {
      const object = plan.trees[tree]?.object
      return object === undefined
        ? []
        : [
            {
              rule: 'index-count-differs',
              severity: 'damage',
              source: 'census',
              object,
              text: `index ${object.name} does not agree with its table`,
            },
          ]
    }),
  ]
}
