/** A parent without a free descriptor that tries to start a child. */
import { openSync } from 'node:fs'
import { startChild } from '../../../src/host/process/child.ts'
import { programOf } from '../host/other-process.ts'

try {
  for (;;) openSync('/dev/null', 'r')
} catch {
  try {
    await startChild(programOf('unruly'), { ownSession: false, niceness: 0, memoryBytesMax: null, env: {} })
  } catch (error) {
    setTimeout(() => process.stdout.write(`${String(error)}\n`), 50) // The parent goes on.
  }
}
