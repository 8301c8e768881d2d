/** The pages that SQLite's messages name (diagnosis/README.md). Their owners are asked for at the end of a check. */
import type { Fact } from '../../model/result/reading.ts'

const pagesMax = 10_000

export function namedPages(facts: readonly Fact[]): readonly number[] {
  const pages = new Set<number>()
  for (const fact of facts) {
    if (fact.kind !== 'message') continue
    for (const [, page] of fact.text.matchAll(/\b(?:page|page number|child|key=)\s?(\d{1,10})\b/gi)) {
      if (pages.size >= pagesMax) return [...pages]
      pages.add(Number(page))
    }
  }
  return [...pages]
}
