/**
 * A process that the service does not know (I1.3). It maps a tenant's file for writing and closes the descriptor, so
 * neither locks nor lists of open files show it. It writes nothing.
 *   node scripts/demo/rogue.ts FILE
 * Prints one JSON line once the file is mapped. Ends on SIGTERM, or when its stdin is closed.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import koffi from 'koffi'

const file = process.argv[2]
if (file === undefined) throw new Error('usage: node scripts/demo/rogue.ts FILE')

const protReadWrite = 3
const mapShared = 1
// null stands for the running program, so this works with glibc and with musl.
const mmap = koffi
  .load(null)
  .func(
    'void *mmap(void *address, size_t length, int protection, int flags, int descriptor, int64_t offset)',
  ) as unknown as (
  address: null,
  length: number,
  protection: number,
  flags: number,
  descriptor: number,
  offset: number,
) => unknown

const descriptor = openSync(file, 'r+')
const mapping = mmap(null, fstatSync(descriptor).size, protReadWrite, mapShared, descriptor, 0)
if (koffi.address(mapping) === 0xffffffffffffffffn) throw new Error(`mmap of ${file} failed: errno ${koffi.errno()}`)
closeSync(descriptor)

process.stdin
  .on('end', () => process.exit(0))
  .on('error', () => process.exit(0))
  .resume()
process.on('SIGTERM', () => process.exit(0))
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, file })}\n`)
