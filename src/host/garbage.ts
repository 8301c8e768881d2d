/** When V8 collects garbage: by itself it does so at any moment, also in one in which somebody waits for us. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * A process that makes much short-lived garbage for long: V8 would answer with ever larger generations, young (99 MB
 * instead of 74 over 300 tenants) and old (120 MB and rising instead of 93 over 1,500). To be called as soon as most is
 * loaded: with other flags than it was built with, Node compiles its own sources anew, for a fifth of the start of a
 * process that got them on its command line. The young generation stays as large as it has become by then.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=20')
}

let collect: (() => void) | null = null

/** Collects all of it now, in some milliseconds, so that V8 has no reason to in the next ones. */
export function collectGarbage(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc')
    // The function that the flag makes, in contexts that are made after it.
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
