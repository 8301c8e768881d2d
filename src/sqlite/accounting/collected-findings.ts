/**
 * Collects the findings of an accounting. A hostile file can give rise to one a page: of each rule only the first are
 * kept, the rest are counted.
 */

import type { Finding, FoundObject, Rule, Severity } from '../../model/result/finding.ts'

/** Findings of one rule about one object that are told one by one. */
export const reportedOfEachMax = 50
/** Objects of one rule that are told apart. */
const objectsOfEachMax = 200

export interface SeenFinding {
  readonly rule: Rule
  readonly severity: Severity
  readonly object: FoundObject
  readonly page: number | null
  /** The other owner of a page that is used twice, where it is an object. */
  readonly other: FoundObject | null
  /** Pages from the root to `page`; empty where no tree was walked. */
  readonly trail: readonly number[]
  readonly text: string
}

interface Rest {
  readonly seen: SeenFinding
  told: number
  untold: number
}

export class CollectedFindings {
  readonly #findings: Finding[] = []
  readonly #rests = new Map<string, Rest>()
  #total = 0

  /** How many there were, told or not. */
  get total(): number {
    return this.#total
  }

  add(seen: SeenFinding): void {
    this.#total++
    const rest = this.#restOf(seen)
    if (rest.told >= reportedOfEachMax) {
      rest.untold++
      return
    }
    rest.told++
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

  /** All findings; the last ones tell how many more there were of a kind. */
  findings(): readonly Finding[] {
    const more = [...this.#rests.values()].filter((rest) => rest.untold > 0)
    return [
      ...this.#findings,
      ...more.map(({ seen, untold }): Finding => ({
        rule: seen.rule,
        severity: seen.severity,
        source: 'census',
        object: seen.object,
        total: untold,
        text: `${untold} more of the kind: ${seen.text}`,
      })),
    ]
  }

  #restOf(seen: SeenFinding): Rest {
    const key = `${seen.rule}\0${seen.severity}\0${seen.object.kind}\0${seen.object.name}`
    const known =
      this.#rests.get(key) ?? (this.#rests.size >= objectsOfEachMax ? this.#rests.get(seen.rule) : undefined)
    if (known) return known
    const rest = { seen, told: 0, untold: 0 }
    this.#rests.set(this.#rests.size >= objectsOfEachMax ? seen.rule : key, rest)
    return rest
  }
}
