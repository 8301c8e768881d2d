/**
 * Collects the findings of an accounting. A hostile file can cause one for each page. So only the first ones of each
 * rule are listed, and the others are counted.
 */

import type { Finding, FoundObject, Rule, Severity } from '../../model/result/finding.ts'

/** Findings of one rule about one object that are listed one by one. */
export const listedOfEachMax = 50
/** Objects of one rule that are counted one by one. */
const objectsOfEachMax = 200

interface SeenFinding {
  readonly rule: Rule
  readonly severity: Severity
  readonly object: FoundObject
  readonly page: number | null
  /** The other owner of a page that is used twice, if it is an object. */
  readonly other: FoundObject | null
  /** Pages from the root to `page`; empty if no tree was walked. */
  readonly trail: readonly number[]
  readonly text: string
}

interface KindCount {
  readonly seen: SeenFinding
  listed: number
  unlisted: number
}

export class CollectedFindings {
  readonly #findings: Finding[] = []
  readonly #kinds = new Map<string, KindCount>()
  #total = 0

  /** Number of findings, listed or not. */
  get total(): number {
    return this.#total
  }

  add(seen: SeenFinding): void {
    this.#total++
    const kind = this.#kindOf(seen)
    if (kind.listed >= listedOfEachMax) {
      kind.unlisted++
      return
    }
    kind.listed++
    this.#findings.push({
      rule: seen.rule,
      severity: seen.severity,
      source: 'census',
      object: seen.object,
      text: seen.text,
      ...(seen.page === null ? {} : { page: seen.page }),
      ...(seen.trail.length === 0 ? {} : { trail: [...seen.trail] }),
      ...(seen.other === null ? {} : { other: seen.other }),
    })
  }

  /** All listed findings, then for each kind one finding with the number of those that are not listed. */
  findings(): readonly Finding[] {
    const more = [...this.#kinds.values()].filter(({ unlisted }) => unlisted > 0)
    return [
      ...this.#findings,
      ...more.map(({ seen, unlisted }): Finding => ({
        rule: seen.rule,
        severity: seen.severity,
        source: 'census',
        object: seen.object,
        total: unlisted,
        text: `${unlisted} more of the kind: ${seen.text}`,
      })),
    ]
  }

  #kindOf(seen: SeenFinding): KindCount {
    const key = `${seen.rule}\0${seen.severity}\0${seen.object.kind}\0${seen.object.name}`
    const known =
      this.#kinds.get(key) ?? (this.#kinds.size >= objectsOfEachMax ? this.#kinds.get(seen.rule) : undefined)
    if (known) return known
    const kind = { seen, listed: 0, unlisted: 0 }
    this.#kinds.set(this.#kinds.size >= objectsOfEachMax ? seen.rule : key, kind)
    return kind
  }
}
