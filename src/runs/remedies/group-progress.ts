/** Progress of remedies: which file is held, checked or worked on now. */

import type { Target } from '../begin/target.ts'
import type { PagesObserver } from '../examine.ts'
import type { CheckProgress, ProgressObserver } from '../progress-tracker.ts'

export class GroupProgress {
  readonly #observer: ProgressObserver
  readonly #total: number
  #done = 0

  constructor(total: number, observer: ProgressObserver) {
    this.#total = total
    this.#observer = observer
  }

  readonly onHolding = (target: Target): void => this.#report({ holding: [nameOf(target)] })

  readonly onChecking = (target: Target): PagesObserver => {
    const checking: { -readonly [Key in keyof CheckProgress]: CheckProgress[Key] } = {
      name: nameOf(target),
      pages: null,
    }
    this.#report({ checking: [checking] })
    return (pages) => {
      checking.pages = pages
    }
  }

  /** @param step what goes on, such as `mending a copy` */
  readonly onStep = ({ target }: { readonly target: Target }, step: string): void =>
    this.#report({ working: `${step} (${nameOf(target)})` })

  finish(targets: number): void {
    this.#done += targets
    this.#report({})
  }

  #report(now: {
    readonly holding?: readonly string[]
    readonly checking?: readonly CheckProgress[]
    readonly working?: string
  }): void {
    this.#observer.onProgress({
      done: this.#done,
      total: this.#total,
      holding: now.holding ?? [],
      checking: now.checking ?? [],
      ...(now.working === undefined ? {} : { working: now.working }),
    })
  }
}

const nameOf = ({ tenant, named }: Target): string => tenant ?? named
