/**
 * What can be salvaged: the entries of indexes that may be right where their table is not. Of an index that is wrong
 * itself nothing is salvage.
 */
import type { Finding } from '../model/result/finding.ts'
import { count } from '../text/count.ts'

/** @param witnesses names of the indexes that may be right */
export function tellSalvage<Findings extends readonly Finding[]>(
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
