/** The passes of a triage: the status tenant as a whole, then all files fast, then all files deep, in one order. */

import type { Failure } from '../../model/failure.ts'
import type { CheckDepth } from '../../model/result/reading.ts'
import type { Result } from '../../model/result/report.ts'
import type { RunLimits } from '../begin/run-context.ts'
import type { Target } from '../begin/target.ts'
import type { RunObserver, RunTotals } from '../pipeline.ts'
import { examineInOrder, type PassTerms } from './pass.ts'
import type { Suspect } from './suspicion.ts'

export interface PassesTerms extends Omit<PassTerms, 'limits'> {
  readonly depth: CheckDepth
  readonly first: boolean
  readonly statusTenant: string | null
  readonly limitsOf: (depth: CheckDepth) => Promise<RunLimits>
}

/** Results have their suspicion. */
export interface PassesObserver extends RunObserver {
  /** Called before the first result, with every file that will have one, in the order of suspicion. */
  readonly onSelected: (targets: readonly Target[]) => void
  readonly onOrder: (suspects: readonly Suspect[]) => void
  /**
   * Called as soon as a file is found damaged, and again if its deep check names another remedy.
   * @param place in the order of suspicion, from 1
   * @param again true for the deep check of a culprit that was reported before
   */
  readonly onCulprit: (result: Result, place: number, again: boolean) => void
}

/** A culprit of at most this size is checked deep before the pass goes on: that takes a second or two. In bytes. */
const deepAtOnceMax = 256_000_000

export function passes(suspects: readonly Suspect[], terms: PassesTerms, observer: PassesObserver): Promise<RunTotals> {
  return new Passes(suspects, terms, observer).run()
}

class Passes {
  readonly #suspects: readonly Suspect[]
  readonly #terms: PassesTerms
  readonly #observer: PassesObserver
  readonly #places: ReadonlyMap<string, { readonly place: number; readonly suspect: Suspect }>
  /** Verdict of the newest result of each file. */
  readonly #reported = new Map<string, Pick<Result, 'verdict' | 'failure'>>()
  readonly #deep = new Set<string>()
  /** Commands that were reported, by culprit. */
  readonly #culprits = new Map<string, string | null>()
  /** Culprits whose deep check is due. */
  #due: Target[] = []

  constructor(suspects: readonly Suspect[], terms: PassesTerms, observer: PassesObserver) {
    this.#suspects = suspects
    this.#terms = terms
    this.#observer = observer
    this.#places = new Map(suspects.map((suspect, at) => [keyOfTarget(suspect.target), { place: at + 1, suspect }]))
  }

  async run(): Promise<RunTotals> {
    const { statusTenant, depth } = this.#terms
    const targets = this.#suspects.map(({ target }) => target)
    const leads = ({ tenant }: Target): boolean => tenant !== null && tenant === statusTenant
    // I1.9: monitoring rests on this tenant, so its state is known as a whole before any other tenant is paused.
    const stopped =
      (await this.#pass(targets.filter(leads), depth)) ??
      (await this.#fastPass(targets.filter((target) => !leads(target)))) ??
      (depth === 'full' && !this.#isEnough ? await this.#pass(targets, 'full') : null)
    const covered = this.#reported.size
    return { covered, notCovered: targets.length - covered, stopped }
  }

  /** @returns why the line was stopped; null if it was not */
  async #fastPass(targets: readonly Target[]): Promise<Failure | null> {
    for (let left = targets; ; left = left.filter((target) => !this.#reported.has(keyOfTarget(target)))) {
      const stopped = await this.#pass(left, 'quick', () => this.#due.length > 0)
      const due = this.#due
      this.#due = []
      // It came to its end. What is left now has no result, because it could not be reached.
      if (stopped !== null || due.length === 0) return stopped
      const confirming = this.#terms.depth === 'quick' ? null : await this.#pass(due, 'full', () => false)
      if (confirming !== null || this.#isEnough) return confirming
    }
  }

  get #isEnough(): boolean {
    return this.#terms.first && this.#culprits.size > 0
  }

  async #pass(
    targets: readonly Target[],
    depth: CheckDepth,
    enough: () => boolean = () => this.#isEnough,
  ): Promise<Failure | null> {
    const wanted = targets.filter((target) => depth === 'quick' || !this.#deep.has(keyOfTarget(target)))
    if (wanted.length === 0) return null
    const limits = await this.#terms.limitsOf(depth)
    const { stopped } = await examineInOrder(
      wanted,
      { ...this.#terms, limits },
      {
        onResult: (result) => this.#report(result),
        // Another look at a tenant that was found sound: it is known here.
        onRevised: (result) => this.#report(result),
        onProgress: (progress) => this.#observer.onProgress(progress),
        enough,
      },
    )
    return stopped
  }

  #report(found: Result): void {
    const key = keyOf(found.tenant, found.path)
    const known = this.#places.get(key)
    const result = { ...found, suspicion: known?.suspect.suspicion ?? [] }
    const before = this.#reported.get(key)
    // What the fast pass has found is not put in doubt by a deep check that could not be made, or that came later.
    if (before?.verdict === 'damaged' && result.verdict !== 'damaged') return void this.#deep.add(key)
    this.#reported.set(key, {
      verdict: result.verdict,
      ...(result.failure === undefined ? {} : { failure: result.failure }),
    })
    if (result.depth === 'full') this.#deep.add(key)
    if (before === undefined) this.#observer.onResult(result)
    else this.#observer.onRevised(result, before)
    if (result.verdict === 'damaged') this.#blame(key, result, known)
  }

  #blame(key: string, result: Result, known: { readonly place: number; readonly suspect: Suspect } | undefined): void {
    const { command } = result.remedy
    const again = this.#culprits.has(key)
    if (!again || this.#culprits.get(key) !== command) this.#observer.onCulprit(result, known?.place ?? 0, again)
    this.#culprits.set(key, command)
    const bytes = result.evidence.snapshot?.bytes ?? 0
    if (result.depth === 'quick' && bytes <= deepAtOnceMax && known !== undefined) this.#due.push(known.suspect.target)
  }
}

const keyOfTarget = ({ tenant, named }: Target): string => keyOf(tenant, named)
const keyOf = (tenant: Result['tenant'], path: string): string => JSON.stringify([tenant, path])
