/** What can be salvaged: entries of indexes that may be right if their table is wrong. A wrong index has no salvage. */

import type { Finding } from '../model/result/finding.ts'
import { count } from '../text/count.ts'

/**
 * Adds to findings what their index still holds; takes the salvage away if the index is itself wrong.
 * @param witnesses names of the indexes that may be right
 */
export function describeSalvage<Findings extends readonly Finding[]>(
  findings: Findings,
  witnesses: ReadonlySet<string>,
): { readonly [Position in keyof Findings]: Finding } {
  return findings.map((finding) => {
    const { salvage, ...rest } = finding
    if (salvage === undefined) return finding
    if (!witnesses.has(finding.object.name)) return rest
    return {
      ...finding,
      text:
        `${finding.text}; if the table is wrong instead: the index still holds ` +
        `${salvage.columns.join(', ')} of ${count(salvage.total, 'row')}`,
    }
  }) as { readonly [Position in keyof Findings]: Finding }
}
