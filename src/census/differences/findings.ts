/** From a tally to findings. */

import type { Finding } from '../../model/result/finding.ts'
import type { PageSource } from '../../sqlite/accounting/page-source.ts'
import type { CensusPlan } from '../plan.ts'
import type { PageOwners } from '../scan/page-owners.ts'
import { trailTo } from '../scan/page-owners.ts'
import type { CensusTally } from '../scan/tally.ts'
import { findingsOnly, type DifferenceOptions } from './group-finding.ts'
import type { DifferenceSearch } from './search.ts'
import { differingIndexes } from './search.ts'

/** What was seen on single pages. */
export function findingsOfNotes(plan: CensusPlan, owners: PageOwners, tally: CensusTally): readonly Finding[] {
  const notes = tally.notes.toSorted((a, b) => a.tree - b.tree || a.page - b.page)
  const told = new Map<string, number>()
  const findings = notes.flatMap(({ rule, severity, tree, page, rows, text }): readonly Finding[] => {
    const object = plan.trees[tree]?.object
    told.set(`${rule} ${tree}`, (told.get(`${rule} ${tree}`) ?? 0) + 1)
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
    const untold = count - (told.get(kind) ?? 0)
    const note = notes.find(({ rule, tree }) => `${rule} ${tree}` === kind)
    const object = note === undefined ? undefined : plan.trees[note.tree]?.object
    return untold <= 0 || note === undefined || object === undefined
      ? []
      : [
          {
            rule: note.rule,
            severity: note.severity,
            source: 'census',
            object,
            total: untold,
            text: `${untold} more of the kind: ${note.text}`,
          },
        ]
  })
  return [...findings, ...more]
}

/** Where indexes and tables differ, to the row. Call it when all passes of the search have ended. */
export function findingsOfDifferences(
  plan: CensusPlan,
  owners: PageOwners,
  tally: CensusTally,
  search: DifferenceSearch,
  source: PageSource,
  options: DifferenceOptions = findingsOnly,
): readonly Finding[] {
  const named = search.unmatched.findings(owners, source, options)
  // More differences than the second look has passes for: what it counted is the least that there is, and says so.
  const found = search.complete ? named : named.map((finding) => ({ ...finding, text: `at least ${finding.text}` }))
  // Unequal sums without a difference that could be named must never pass in silence.
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
