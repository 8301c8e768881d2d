/**
 * Searches for the holders of a file again and again while one process does not show its mappings. Run it in a mount
 * namespace of its own: `stuck-neighbour.ts FILE`, where /proc/PID/maps of that process is a pipe without a writer.
 * Prints one line of JSON.
 */
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { endProcess } from '../../../src/host/libc.ts'
import { findHolders, findStoringMappings } from '../../../src/host/locks/open-file-table.ts'
import { isReadStuck } from '../../../src/host/process/read-of-process.ts'

const [, , path = ''] = process.argv
const { dev, ino } = statSync(path, { bigint: true })
const file = { path, dev, ino }
const search = () => findHolders([file], { exceptPids: [process.pid], until: AbortSignal.timeout(30_000) })

// More searches at a time, and one after the other, than Node has threads for files.
await Promise.all(Array.from({ length: 6 }, search))
for (let i = 0; i < 5; i++) await search()
const last = await search()
const storing = await findStoringMappings(file, last.holders)
const isReading = (await readFile('/proc/self/comm', 'utf8')) !== ''
const pids = (holders: readonly { readonly pid: number }[]): readonly number[] => holders.map(({ pid }) => pid)
const { holders, unseen, isWhole } = last
process.stdout.write(
  `${JSON.stringify({ holders: pids(holders), unseen, isWhole, storing: pids(storing), isReading })}\n`,
)
if (isReadStuck()) endProcess(0)
