/**
 * A parent that starts a child, sets it to work, prints its pid and waits to be killed; or, with `idle` or `unasked`,
 * ends because it has nothing to do; or, with `late` or `exit`, only waits for the end of the child, and prints
 * it.
 */
import { startChild } from '../../../src/host/process/child.ts'
import type { UnrulyOrder } from './unruly.ts'

const child = await startChild<UnrulyOrder, unknown>(process.argv[2] ?? '', {
  ownSession: process.argv[4] === 'own-session',
  niceness: 0,
  memoryBytesMax: null,
  env: {},
})
if (process.argv[3] === 'idle' || process.argv[3] === 'unasked') {
  if (process.argv[3] === 'idle') await child.ask({ whim: 'echo', value: 1 }, { timeoutMs: 10_000 })
  process.stdout.write(`${child.pid}\n`)
} else if (process.argv[3] === 'late' || process.argv[3] === 'exit') {
  const error = await child
    .ask(
      { whim: process.argv[3] === 'late' ? 'hang' : 'exit' },
      { timeoutMs: process.argv[3] === 'late' ? 500 : 60_000 },
    )
    .catch((error: unknown) => error)
  process.stdout.write(`${String(error)}\n`)
} else {
  const asking = child.ask({ whim: process.argv[3] === 'hang' ? 'hang' : 'sleep' }, { timeoutMs: 60_000 })
  process.stdout.write(`${child.pid}\n`)
  await asking
}
