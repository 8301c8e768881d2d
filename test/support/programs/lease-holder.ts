/**
 * Asked for on stdin, takes a kernel write lease on a file and keeps it until stdin closes, without ever giving way: a
 * frozen holdfast (hold/README.md F12, F13).
 */
import { openSync } from 'node:fs'
import koffi from 'koffi'

// Default SIGIO would kill the process when somebody opens the file.
process.on('SIGIO', () => {})
const fcntl = koffi.load(null).func('int fcntl(int descriptor, int command, ...)') as unknown as (
  ...args: unknown[]
) => number
process.stdin.once('data', () => {
  const descriptor = openSync(process.argv[2] ?? '', 'r+')
  process.stdout.write(fcntl(descriptor, 1024, 'int', 1) === 0 ? 'leased\n' : `refused ${koffi.errno()}\n`)
})
process.stdin.on('end', () => process.exit(0))
process.stdout.write('ready\n')
