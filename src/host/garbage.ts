/** When V8 collects garbage: by itself it does so at any moment, also in one in which somebody waits for us. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | null = null

/** Collects all of it now, in some milliseconds, so that V8 has no reason to in the next ones. */
export function collectGarbage(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void // The function that the flag makes, in contexts that are made after it.
  }
  collect()
}
