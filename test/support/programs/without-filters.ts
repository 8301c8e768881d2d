/**
 * Becomes another Node program, on a kernel that has no filters for system calls: the call that installs them answers
 * ENOSYS.
 */
import { createRequire } from 'node:module'
import { fcntlNumber, prctl, seccomp } from '../../../src/host/libc.ts'

const PR_SET_NO_NEW_PRIVS = 38
const [number, error] = [process.arch === 'arm64' ? 277 : 317, 0x00050000 | 38]
const lines = [
  [0x20, 0, 0, 0],
  [0x15, 0, 1, number],
  [0x06, 0, 0, error],
  [0x06, 0, 0, 0x7fff0000],
] as const
const filter = Buffer.alloc(lines.length * 8)
for (const [index, [code, ifTrue, ifFalse, operand]] of lines.entries()) {
  filter.writeUInt16LE(code, index * 8)
  filter.writeUInt8(ifTrue, index * 8 + 2)
  filter.writeUInt8(ifFalse, index * 8 + 3)
  filter.writeUInt32LE(operand, index * 8 + 4)
}
prctl(PR_SET_NO_NEW_PRIVS, 1)
seccomp(1, 0, filter)
const F_SETFD = 2
for (const stream of [0, 1, 2]) fcntlNumber(stream, F_SETFD, 0) // Node marks them to be closed at an exec.
const libc = (
  createRequire(import.meta.url)('koffi') as {
    readonly load: (library: null) => { readonly func: (declaration: string) => (...given: unknown[]) => number }
  }
).load(null)
const args = [process.execPath, ...process.argv.slice(2), null]
libc.func('int execv(const char *program, const char **args)')(process.execPath, args)
throw new Error('the program could not be started')
