/**
 * Changes a bare file, or undoes its newest change, in a process of its own. Arguments: what (`change`, `undo`), file,
 * home, method. It prints the outcome as JSON.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findChanges } from '../../../src/hold/change/recovery/find-changes.ts'
import { startHoldProcesses } from '../../../src/hold/hold-processes.ts'
import { changeFlow, undoFlow } from '../hold/change-flow.ts'

const [what, file = '', home = '', method] = process.argv.slice(2)
const folder = join(home, 'snapshots')
mkdirSync(folder, { recursive: true, mode: 0o700 })
const place = { kind: 'quarantine', folder: join(home, 'quarantine') } as const
const processes = await startHoldProcesses()
const options = {
  connection: null,
  processes,
  folder,
  place,
  method: method === 'in-place' ? 'in-place' : 'swap',
  onStep: (step: string) => {
    if (step === process.env['STOP_AT']) process.kill(process.pid, 'SIGSTOP')
  },
} as const
let failure: string | null = null
let kind: string = 'thrown'
try {
  const newest = findChanges(place)[0]?.record.change
  const outcome =
    what === 'undo' && newest !== undefined
      ? await undoFlow(options, newest)
      : (await changeFlow({ ...options, files: [file] })).outcome
  kind = outcome.kind
  if (outcome.kind === 'unchanged') failure = `${outcome.failure.code}: ${outcome.failure.message}`
} catch (error) {
  failure = String(error)
}
await processes[Symbol.asyncDispose]()
process.stdout.write(`${JSON.stringify({ kind, failure })}\n`)
