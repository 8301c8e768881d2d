/** A parent that confines its child, lets it hang, prints its pid and waits to be killed. */
import { startChild } from '../../../src/host/process/child.ts'
import type { ConfinedTask } from './confined.ts'

const [, , program = '', folder = ''] = process.argv
const child = await startChild<ConfinedTask, unknown>(program, {
  ownSession: true,
  niceness: 0,
  memoryBytesMax: null,
  env: {},
})
await child.ask({ do: 'confine', folder: { folder, uid: 61_234, gid: 61_235 } }, { timeoutMs: 20_000 })
const hanging = child.ask({ do: 'hang' }, { timeoutMs: 60_000 })
process.stdout.write(`${child.pid}\n`)
await hanging
