/**
 * The system calls that a process gives up for good, by a seccomp filter (seccomp(2)). They concern network, programs,
 * other processes, mounts, and parts of the kernel that it does not need. The list says what is refused, not what is
 * allowed. Node and SQLite use other calls in each version. A call that is missing from a list of allowed ones would
 * end a check in the night. Calls newer than this list answer ENOSYS, as on an older kernel.
 */
import { constants } from 'node:os'
import { invariant } from '../../model/bug.ts'
import { prctl, seccomp, systemCall, SystemCallError } from '../libc.ts'

/**
 * `isolated`: no network, no programs, no other processes. `plain-files`: also no links, no devices, and no owners and
 * modes by name.
 */
export type CallFilter = 'isolated' | 'plain-files'

/**
 * Refuses these calls to all threads of this process, and to all processes that it starts.
 * @returns false if the kernel has no such filters, or we have none for this architecture
 * @throws {Bug} if a refused call is granted afterwards
 */
export function refuseCalls(refusal: CallFilter): boolean {
  const machine = machines[process.arch]
  if (process.platform !== 'linux' || machine === undefined) return false
  // Without this the kernel accepts a filter only from root. It is set for the other threads with the filter.
  prctl(PR_SET_NO_NEW_PRIVS, 1)
  try {
    seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, filterFor(machine, refusal, process.pid))
  } catch (error) {
    if (error instanceof SystemCallError && ['ENOSYS', 'EINVAL', 'EPERM', 'EACCES'].includes(error.code)) return false
    throw error
  }
  requireRefused(machine)
  return true
}

const PR_SET_NO_NEW_PRIVS = 38
const SECCOMP_SET_MODE_FILTER = 1
/** All threads get the filter, or none does. */
const SECCOMP_FILTER_FLAG_TSYNC = 1

/** `column`: which of the two numbers of a call. `audit`: the kernel's name of the architecture (linux/audit.h). */
interface Machine {
  readonly column: 0 | 1
  readonly audit: number
}
const machines: Readonly<Partial<Record<NodeJS.Architecture, Machine>>> = {
  x64: { column: 0, audit: 0xc000003e },
  arm64: { column: 1, audit: 0xc00000b7 },
}

/** Numbers on x64 and arm64; null if the architecture has no such call. */
type Numbers = readonly [x64: number, arm64: number | null]

const isolated: Readonly<Record<string, Numbers>> = {
  // Network, and talk with other processes of this machine.
  socket: [41, 198],
  socketpair: [53, 199],
  connect: [42, 203],
  bind: [49, 200],
  listen: [50, 201],
  accept: [43, 202],
  accept4: [288, 242],
  sendto: [44, 206],
  sendmsg: [46, 211],
  sendmmsg: [307, 269],
  shmget: [29, 194],
  semget: [64, 190],
  msgget: [68, 186],
  mq_open: [240, 180],
  // Other programs and processes.
  execve: [59, 221],
  execveat: [322, 281],
  fork: [57, null],
  vfork: [58, null],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  kcmp: [312, 272],
  pidfd_open: [434, 434],
  pidfd_send_signal: [424, 424],
  pidfd_getfd: [438, 438],
  // Mounts and namespaces.
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  unshare: [272, 97],
  setns: [308, 268],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  // Parts of the kernel that are often the way out of a sandbox.
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  personality: [135, 92],
}

const plainFiles: Readonly<Record<string, Numbers>> = {
  link: [86, null],
  linkat: [265, 37],
  symlink: [88, null],
  symlinkat: [266, 36],
  mknod: [133, null],
  mknodat: [259, 33],
  chmod: [90, null],
  fchmodat: [268, 53],
  fchmodat2: [452, 452],
  chown: [92, null],
  lchown: [94, null],
  fchown: [93, 55],
  fchownat: [260, 54],
  setxattr: [188, 5],
  lsetxattr: [189, 6],
  fsetxattr: [190, 7],
  removexattr: [197, 14],
  lremovexattr: [198, 15],
  fremovexattr: [199, 16],
}

/** Allowed on this process itself: the first argument is its pid, or no pid at all (`zero`). */
const onItself: Readonly<Record<string, { readonly numbers: Numbers; readonly zero: boolean }>> = {
  kill: { numbers: [62, 129], zero: false },
  tkill: { numbers: [200, 130], zero: false },
  tgkill: { numbers: [234, 131], zero: false },
  rt_sigqueueinfo: { numbers: [129, 138], zero: false },
  rt_tgsigqueueinfo: { numbers: [297, 240], zero: false },
  prlimit64: { numbers: [302, 261], zero: true },
}

const clone: Numbers = [56, 220]
const clone3 = 435
const CLONE_THREAD = 0x10000
/** The newest call that this list was checked against: `mseal` of Linux 6.10. */
const newestCall = 462

/**
 * BPF as the kernel reads it (linux/filter.h). One instruction is { short code; char ifTrue; char ifFalse; int operand
 * }.
 */
function filterFor({ column, audit }: Machine, refusal: CallFilter, pid: number): Buffer {
  const lines: (readonly [code: number, ifTrue: number, ifFalse: number, operand: number])[] = []
  const load = (offset: number): unknown => lines.push([LOAD, 0, 0, offset])
  const answer = (verdict: number): unknown => lines.push([RETURN, 0, 0, verdict])
  const unlessEqual = (value: number, skipped: number): unknown => lines.push([IF_EQUAL, 0, skipped, value])
  load(offsetOf.architecture)
  lines.push([IF_EQUAL, 1, 0, audit])
  answer(refused)
  load(offsetOf.number)
  lines.push([IF_GREATER, 0, 1, newestCall]) // Also the calls of x32, which begin at 2^30.
  answer(unknown)
  unlessEqual(clone3, 1) // A filter cannot read its flags, which are in memory. The C library then uses `clone`.
  answer(unknown)
  for (const numbers of Object.values(refusal === 'plain-files' ? { ...isolated, ...plainFiles } : isolated)) {
    const number = numbers[column]
    if (number === null) continue
    unlessEqual(number, 1)
    answer(refused)
  }
  unlessEqual(clone[column] ?? 0, 4) // A thread, or a process?
  load(offsetOf.firstArgument)
  lines.push([IF_ANY_BIT, 0, 1, CLONE_THREAD])
  answer(allowed)
  answer(refused)
  for (const { numbers, zero } of Object.values(onItself)) {
    unlessEqual(numbers[column] ?? 0, 5)
    load(offsetOf.firstArgument)
    lines.push([IF_EQUAL, 1, 0, pid])
    lines.push([IF_EQUAL, 0, 1, zero ? 0 : pid])
    answer(allowed)
    answer(refused)
  }
  answer(allowed)
  return assemble(lines)
}

/** Loads a word of the call (struct seccomp_data): number, architecture, and the low half of the first argument. */
const LOAD = 0x20
const IF_EQUAL = 0x15
const IF_GREATER = 0x25
const IF_ANY_BIT = 0x45
const RETURN = 0x06
const offsetOf = { number: 0, architecture: 4, firstArgument: 16 } as const
const allowed = 0x7fff0000
const withError = 0x00050000
const refused = withError | constants.errno.EPERM
const unknown = withError | constants.errno.ENOSYS

function assemble(lines: readonly (readonly [number, number, number, number])[]): Buffer {
  const program = Buffer.alloc(lines.length * 8)
  for (const [index, [code, ifTrue, ifFalse, operand]] of lines.entries()) {
    program.writeUInt16LE(code, index * 8)
    program.writeUInt8(ifTrue, index * 8 + 2)
    program.writeUInt8(ifFalse, index * 8 + 3)
    program.writeUInt32LE(operand, index * 8 + 4)
  }
  return program
}

/**
 * Tries a refused call, because a promise of the kernel is verified (I2.1): a socket of this machine, which harms
 * nothing if it is made.
 */
function requireRefused({ column }: Machine): void {
  const [AF_UNIX, SOCK_STREAM] = [1, 1]
  try {
    systemCall(isolated['socket']?.[column] ?? 0, AF_UNIX, SOCK_STREAM, 0)
  } catch (error) {
    if (error instanceof SystemCallError && error.code === 'EPERM') return
    throw error
  }
  invariant(false, 'a call that was given up is granted')
}
