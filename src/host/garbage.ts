/** When V8 collects garbage. By itself it does so at any moment, also while a tenant is paused. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Keeps the main process of a sweep small: 60 MB instead of 130 after 1,200 tenants. Node has no option for this that
 * a program can set for itself. Delete it when a sweep of 10,000 tenants stays below 250 MB without it.
 *
 * Call it when most modules are loaded: the young generation stays as large as it is then. The same flags on a command
 * line would make Node compile its own sources anew, which is a fifth of a start.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=20')
}

let collect: (() => void) | null = null

/**
 * Collects all garbage now, which takes some milliseconds. V8 then has no reason to collect in the next ones. Node has
 * no public call for this; delete the flag when it has one.
 */
export function collectGarbage(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc')
    // The flag adds the function to contexts that are made afterwards.
    collect = runInNewContext('gc') as () => void
  }
  collect()
}
