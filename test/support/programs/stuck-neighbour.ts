/**
 * Searches for the holders of a file again and again while one process does not show its mappings. Run it in a mount
 * namespace of its own: `stuck-neighbour.ts FILE PID`, where /proc/PID/maps is a pipe without a writer. Prints one line
 * of JSON.
 */
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { endProcess } from '../../../src/host/libc.ts'
import { findHolders, findStoringMappings, isSearchStuck } from '../../../src/host/locks/open-file-table.ts'

const [, , path = '', pid] = process.argv
const { dev, ino } = statSync(path, { bigint: true })
const file = { path, dev, ino }
const search = () => findHolders([file], { exceptPids: [process.pid], until: AbortSignal.timeout(5_000) })

const [first] = await Promise.all([search(), search()])
// More searches than Node has threads for files. Each must end by itself, long before its time is over.
const beganMs = performance.now()
let last = first
for (let i = 0; i < 6; i++)
  last = await findHolders([file], { exceptPids: [process.pid], until: AbortSignal.timeout(30_000) })
const storing = await findStoringMappings(file, last.holders)
const isReading = (await readFile('/proc/self/comm', 'utf8')) !== ''
const pids = (holders: readonly { readonly pid: number }[]): readonly boolean[] =>
  holders.map((holder) => holder.pid === Number(pid))
process.stdout.write(
  `${JSON.stringify({
    first: first.unseen,
    last: last.unseen,
    holders: pids(last.holders),
    storing: pids(storing),
    isReading,
    isSoon: performance.now() - beganMs < 20_000,
  })}\n`,
)
if (isSearchStuck()) endProcess(0)
