/**
 * The one place that turns an error of the operating system into a failure. It says what was tried, on which path, the
 * errno in words, and advice that fits. It lives here because the configuration is the first that is read
 * (src/ARCHITECTURE.md).
 */
import { constants } from 'node:os'
import { isAbsolute } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import { Failure, type FailureScope, type FailureCode, type TenantState } from '../../model/failure.ts'
import { shellWord } from '../../text/shell-words.ts'
import { whyRefused } from './refused-access.ts'

/** An error of a system call: from Node (`errno` is negative, and some have no name) or from host/libc.ts. */
export interface SystemError extends Error {
  readonly errno: number
  readonly syscall?: string
  /** The name of the call in an error of host/libc.ts. */
  readonly call?: string
  readonly path?: string
}

export interface Attempt {
  /** What was tried. It follows "cannot" and stands before the path: `write the run lock`. */
  readonly doing: string
  /** null: the path of the error itself, if it has one. */
  readonly path: string | null
  /** The code of this part of holdfast for every errno: LEDGER_UNUSABLE. */
  readonly code?: FailureCode
  /** The code if the path is at fault (CONFIG_INVALID). A limit or a disk keeps its own code. */
  readonly pathCode?: FailureCode
  readonly tenant?: TenantState
  /** How to use another place. It follows "or": `name another with --config FILE`. */
  readonly elsewhere?: string
  /**
   * `machine` if every tenant meets it, whatever the errno: for a folder that all share. Without it, the errno decides.
   */
  readonly concerns?: FailureScope
}

export function isSystemError(error: unknown): error is SystemError {
  if (!(error instanceof Error)) return false
  const { errno } = error as NodeJS.ErrnoException
  return typeof errno === 'number' && names.has(Math.abs(errno))
}

/** True if an error says that nothing has the name. */
export const isNotFound = (error: unknown): boolean =>
  isSystemError(error) && ['ENOENT', 'ENOTDIR'].includes(nameOfError(error))

/** Node cannot load a library or a file of our own program. The errno is in the message only. */
export function isLoadError(error: unknown): error is Error & { readonly code: string } {
  const loading = ['ERR_DLOPEN_FAILED', 'MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND']
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && loading.includes(error.code)
}

/** The Failure for an error of the system. Any other error is returned as it is. */
export function systemFailure(error: SystemError, attempt: Attempt): Failure
export function systemFailure(error: unknown, attempt: Attempt): unknown
export function systemFailure(error: unknown, attempt: Attempt): unknown {
  if (!isSystemError(error)) return error
  const path = attempt.path ?? error.path ?? null
  const kind = kindOf(error, path)
  const { doing, elsewhere, tenant, concerns = ofMachine.has(nameOfError(error)) ? 'machine' : 'tenant' } = attempt
  const code = attempt.code ?? (kind.code === 'READ_FAILED' ? kind.code : (attempt.pathCode ?? kind.code))
  const move = elsewhere !== undefined && movable.has(nameOfError(error)) ? `; or ${elsewhere}` : ''
  const what = path === null ? doing : `${doing} ${shorten(path)}`
  return new Failure(code, `cannot ${what}: ${inWords(error)}`, {
    hint: `${kind.hint}${move}`,
    cause: error,
    concerns,
    ...(tenant === undefined ? {} : { tenant }),
  })
}

/**
 * The last resort for an error that was not expected where it arose. It names the call.
 * @param path the file that was used; the error's own path counts first
 */
export function unforeseenFailure(error: unknown, path: string | null = null): unknown {
  if (isLoadError(error)) {
    return new Failure('READ_FAILED', `cannot load a part of holdfast: ${error.message.split('\n')[0]}`, {
      hint: 'check free descriptors and memory, and the rights of its folder; or install holdfast again',
      cause: error,
    })
  }
  if (!isSystemError(error)) return error
  const call = callOf(error)
  const doing = call === undefined ? 'go on with' : `go on: the system refused ${call} of`
  const at = error.path ?? path
  return systemFailure(error, { doing: at === null ? doing.replace(/ (?:of|with)$/, '') : doing, path: at })
}

/** `no space left on device (ENOSPC)`. */
export function inWords(error: SystemError): string {
  const name = nameOfError(error)
  const words = getSystemErrorMap().get(-Math.abs(error.errno))?.[1] ?? wordsOfOurs[name]
  return words === undefined ? name : `${words} (${name})`
}

/** The name of its errno, also if Node has none for it (EDQUOT, ESTALE). */
export function nameOfError({ errno }: SystemError): string {
  const number = Math.abs(errno)
  return names.get(number) ?? `errno ${number}`
}

const callOf = ({ syscall, call }: SystemError): string | undefined => syscall ?? call

/** If one number has two names, that of the manual pages. */
const names: ReadonlyMap<number, string> = new Map([
  ...Object.entries(constants.errno).map(([name, number]) => [number, name] as const),
  [constants.errno.EAGAIN, 'EAGAIN'],
  [constants.errno.EOPNOTSUPP, 'EOPNOTSUPP'],
])

/** Errors that libuv has no words for. */
const wordsOfOurs: Readonly<Record<string, string>> = {
  EDQUOT: 'disk quota exceeded',
  ESTALE: 'stale file handle',
  ENOLCK: 'no locks available',
  EDEADLK: 'resource deadlock avoided',
  ECHILD: 'no child processes',
  ENOEXEC: 'exec format error',
  EBADMSG: 'bad message',
  ENOLINK: 'link has been severed',
  ETIME: 'timer expired',
}

/** Errors that the next tenant would meet too. */
const ofMachine = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'ENOSPC', 'EDQUOT', 'EROFS'])

/** Errors that another place would avoid. */
const movable = new Set([
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'EROFS',
  'EIO',
  'ESTALE',
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOLCK',
  'ENODEV',
])

interface SystemFailureKind {
  readonly code: FailureCode
  readonly hint: string
}

function kindOf(error: SystemError, path: string | null): SystemFailureKind {
  const name = nameOfError(error)
  const word = path === null ? null : shellWord(shorten(path))
  switch (name) {
    case 'EACCES':
    case 'EPERM':
      return { code: 'NO_PERMISSION', hint: whyRefused(path, callOf(error)) }
    case 'EROFS': {
      const look = word === null ? '' : ` (\`findmnt -T ${word}\` names it)`
      return { code: 'NO_PERMISSION', hint: `the file system there may only be read${look}: mount it writable` }
    }
    case 'ENOSPC': {
      const look =
        word === null ? '' : `; \`df -h ${word}\` shows the free space, \`df -i ${word}\` the number of files`
      return { code: 'NO_SPACE', hint: `free space there${look}` }
    }
    case 'EDQUOT':
      return { code: 'NO_SPACE', hint: 'the quota of this user is used up there (`quota`): delete files, or raise it' }
    case 'ENOENT':
      return { code: 'NOT_FOUND', hint: isOfLostFolder(error, path) ? lostFolder : 'check the path' }
    case 'ENOTDIR':
    case 'ELOOP': {
      const look = word === null ? 'check each step of the path' : `\`namei -l ${word}\` shows each step`
      return { code: 'NOT_FOUND', hint: `${look}: ${stepOf[name]}` }
    }
    case 'ENAMETOOLONG':
      return { code: 'NOT_FOUND', hint: 'use a shorter path, or shorter names in it' }
    case 'EISDIR':
    case 'ENXIO':
      return { code: 'NOT_A_FILE', hint: 'name a regular file' }
    default:
      return { code: 'READ_FAILED', hint: hints[name] ?? otherwise }
  }
}

/** A relative path leads nowhere if the current folder was removed. */
function isOfLostFolder(error: SystemError, path: string | null): boolean {
  if (callOf(error) === 'uv_cwd') return true
  if (path === null || isAbsolute(path)) return false
  try {
    process.cwd()
    return false
  } catch {
    return true
  }
}

const lostFolder = 'the current folder was removed: change to one that is there, or use absolute paths'
const stepOf = {
  ENOTDIR: 'one of them is no folder',
  ELOOP: 'one of them is a symbolic link that leads in a circle, or one that is not followed',
} as const
const otherwise = 'this reports nothing about the data; check the kernel log (`dmesg`), and run again'
const unable =
  'this kernel, container or file system cannot do it: check whether a sandbox forbids the call, and use a ' +
  'local file system'
const endGone = 'the other end is gone: check whether a process was killed (`dmesg`), and run again'

/** EIO is the only one here about disks. */
const hints: Readonly<Record<string, string>> = {
  EMFILE: 'this process may not open more files: raise its limit (`ulimit -n`, LimitNOFILE= of a systemd unit)',
  ENFILE: 'this machine may not open more files: end programs, or raise the limit (`sysctl fs.file-max`)',
  ENOMEM:
    'memory ran out, or a limit on it is reached: free some, or raise the limit (`ulimit -v`, MemoryMax= of a ' +
    'systemd unit, that of the container)',
  EAGAIN:
    'a limit on processes or threads may be reached: raise it (`ulimit -u`, TasksMax= of a systemd unit, ' +
    'pids.max of the container), or run again later',
  EIO: 'the disk failed, or the network behind it: check the kernel log (`dmesg`) before anything is written there',
  EFBIG:
    'a limit on the size of a file is reached, the disk is not full: raise it (`ulimit -f`, LimitFSIZE= of a ' +
    'systemd unit), or use a file system that takes larger files',
  ESTALE:
    'the server of this network file system no longer knows the file: mount it again, and run holdfast where ' +
    'the disk is local',
  ENODEV: 'the device is not there, or has no such files: check the mount and the kernel log (`dmesg`)',
  ETXTBSY: 'it is a program that is being run or written: run again when that is over',
  EBUSY: 'something else uses it, such as a mount: run again when that is over',
  EEXIST: 'something of that name is there already: move it away',
  ENOTEMPTY: 'another program put something into the folder meanwhile: check what it is',
  EINTR: 'a signal came in between: run again',
  ENOLCK: 'this file system grants no locks: on NFS check its lock service, or use a local file system',
  ETIMEDOUT: 'there was no answer in time: check the network file system, and the network',
  EPIPE: endGone,
  ECONNRESET: endGone,
  ENOSYS: unable,
  EOPNOTSUPP: unable,
  EINVAL: unable,
  ENOTTY: unable,
}

/** A name that is too long does not help an operator. */
const shorten = (path: string): string => (path.length > pathLengthMax ? `${path.slice(0, 80)}...` : path)
const pathLengthMax = 1_000
