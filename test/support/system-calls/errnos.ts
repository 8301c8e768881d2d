/**
 * The errnos that a call can have, by its manual page and its file systems: for each call one errno for each way in
 * which a program may treat it. Calls whose failure no program can handle are listed below, with the reason.
 */
import { repository } from '../processes.ts'

/** @returns the errnos to try; none for a call of the runtime itself; null for an unknown call */
export function errnosOf(name: string, args: string): readonly string[] | null {
  if (isOfRuntime(name, args)) return []
  const fitting = Object.keys(table).filter((key) => {
    const [call, word] = key.split(' ')
    return call === name && (word === undefined || args.includes(word))
  })
  const longest = fitting.toSorted((a, b) => b.length - a.length)[0]
  if (longest !== undefined) return table[longest] ?? null
  return runtimeCalls.has(name) ? [] : null
}

const writeErrnos = ['ENOSPC', 'EDQUOT', 'EIO'] as const
const lookupErrnos = ['EACCES', 'ENOENT', 'EIO'] as const
const changeErrnos = ['EACCES', 'ENOSPC', 'EROFS'] as const
const descriptorErrnos = ['EMFILE', 'ENOMEM'] as const
const processErrnos = ['EAGAIN', 'ENOMEM'] as const

/** By the name of the call, or by its name and a word in its arguments. The longest match counts. */
const table: Readonly<Record<string, readonly string[]>> = {
  openat: ['EACCES', 'EMFILE', 'ENOENT', 'EIO', 'ESTALE'],
  // Not ENOENT: without its /proc/PID/stat a process has ended, and that is another truth.
  'openat /stat"': ['EACCES', 'EMFILE', 'EIO'],
  'openat O_CREAT': ['ENOSPC', 'EMFILE', 'EACCES', 'EDQUOT', 'EROFS'],
  'openat O_DIRECTORY': ['EMFILE', 'EACCES', 'EIO'],
  close: ['EIO'],

  statx: lookupErrnos,
  newfstatat: lookupErrnos,
  lstat: lookupErrnos,
  stat: lookupErrnos,
  access: lookupErrnos,
  faccessat2: lookupErrnos,
  'statx AT_EMPTY_PATH': ['EIO', 'ENOMEM'],
  'newfstatat AT_EMPTY_PATH': ['EIO'],
  fstat: ['EIO'],
  statfs: ['EACCES', 'EIO'],
  fstatfs: ['EIO'],
  // Not ENOENT: the kernel gives it for a folder that was removed, and glibc returns no entries then.
  getdents64: ['EIO'],
  readlink: lookupErrnos,
  getcwd: ['ENOENT'],

  read: ['EIO'],
  pread64: ['EIO'],
  preadv: ['EIO'],
  lseek: ['EIO'],
  write: writeErrnos,
  writev: writeErrnos,
  pwritev: writeErrnos,
  pwrite64: [...writeErrnos, 'EFBIG'],
  fsync: writeErrnos,
  fdatasync: writeErrnos,
  ftruncate: ['EIO', 'EFBIG'],
  fallocate: ['ENOSPC', 'EOPNOTSUPP'],
  fadvise64: ['ESPIPE'],
  copy_file_range: ['EIO', 'ENOSPC', 'EXDEV', 'EDQUOT'],
  'ioctl FICLONE': ['EOPNOTSUPP', 'EIO', 'ENOSPC'],
  'mmap .db': ['ENOMEM', 'EAGAIN'],

  mkdir: changeErrnos,
  rename: changeErrnos,
  renameat: changeErrnos,
  renameat2: [...changeErrnos, 'EINVAL'],
  symlink: changeErrnos,
  link: ['EMLINK', ...changeErrnos],
  linkat: ['EMLINK', ...changeErrnos],
  rmdir: ['EBUSY', 'EACCES', 'EIO'],
  unlink: ['EACCES', 'EIO', 'EBUSY'],
  unlinkat: ['EACCES', 'EIO'],
  chmod: ['EPERM', 'EROFS'],
  fchmod: ['EPERM', 'EROFS'],
  fchmodat: ['EPERM'],
  chown: ['EPERM'],
  fchown: ['EPERM', 'EDQUOT'],
  fchownat: ['EPERM'],
  utimensat: ['EPERM'],
  flistxattr: ['EOPNOTSUPP', 'EIO'],
  fgetxattr: ['EOPNOTSUPP', 'EIO'],
  fsetxattr: ['EOPNOTSUPP', 'EPERM', 'ENOSPC'],

  'fcntl F_OFD_SETLK': ['EAGAIN', 'ENOLCK'],
  'fcntl F_OFD_GETLK': ['EINVAL', 'ENOLCK'],
  'fcntl F_SETLK': ['EAGAIN', 'ENOLCK'],
  'fcntl F_GETLK': ['ENOLCK'],
  flock: ['EWOULDBLOCK', 'ENOLCK'],
  'fcntl F_SETLEASE': ['EAGAIN', 'EACCES', 'ENOMEM'],
  'fcntl F_GETLEASE': ['EINVAL'],

  'read socket:': ['ECONNRESET'],
  'readv socket:': ['ECONNRESET'],
  recvmsg: ['ECONNRESET', 'ENOMEM'],
  'write socket:': ['EPIPE', 'ECONNRESET'],
  'writev socket:': ['EPIPE'],
  sendmsg: ['EPIPE', 'ENOBUFS'],
  'write pipe:': ['EPIPE'],
  'writev pipe:': ['EPIPE'],
  pipe2: descriptorErrnos,
  socketpair: descriptorErrnos,
  socket: descriptorErrnos,
  memfd_create: descriptorErrnos,
  connect: ['ECONNREFUSED', 'ENOENT', 'EACCES', 'EAGAIN'],

  clone: processErrnos,
  vfork: processErrnos,
  fork: processErrnos,
  execve: ['ENOMEM', 'EACCES', 'E2BIG'],
  dup2: ['EBUSY', 'EMFILE'],
  dup3: ['EBUSY', 'EMFILE'],
  setsid: ['EPERM'],
  kill: ['EPERM', 'ESRCH'],
  setpriority: ['EACCES', 'EPERM'],
  ioprio_set: ['EPERM'],
  prlimit64: ['EPERM'],
  capget: ['EPERM'],
  'prctl PR_SET_PDEATHSIG': ['EINVAL'],
  'prctl PR_SET_DUMPABLE': ['EINVAL'],
  'prctl PR_SET_NO_NEW_PRIVS': ['EINVAL'],
  'prctl PR_SET_SECCOMP': ['EINVAL', 'EACCES'],
  seccomp: ['EINVAL', 'ENOMEM'],
  chroot: ['EPERM', 'EACCES', 'ENOENT'],
  chdir: ['EACCES', 'ENOENT'],
  fchdir: ['EACCES'],
  setgroups: ['EPERM'],
  setgid: ['EPERM'],
  setuid: ['EPERM', 'EAGAIN'],
  setresuid: ['EPERM'],
}

/** Calls that Node, V8 or glibc make for themselves. If one fails, the process ends before our code can react. */
const runtime: readonly (readonly [calls: string, why: string])[] = [
  ['mmap munmap mprotect madvise brk mremap pkey_alloc', 'V8 and glibc end a process that gets no memory'],
  ['clone3 futex rseq set_robust_list exit sched_yield membarrier tgkill gettid', 'libuv and V8 need their threads'],
  ['sched_getaffinity sched_setaffinity sched_getparam sched_getscheduler', 'called when a thread begins'],
  ['epoll_ctl epoll_pwait epoll_create1 eventfd2 poll ppoll timerfd_create', 'libuv aborts when its loop is broken'],
  ['io_uring_setup io_uring_enter io_uring_register wait4 waitid', 'libuv aborts, or works without them'],
  ['rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall', 'they fail for wrong arguments only'],
  ['getpid getppid getuid geteuid getgid getegid getgroups getpriority', 'they cannot fail'],
  ['uname sysinfo umask times', 'they cannot fail'],
  [
    'getrandom clock_gettime clock_nanosleep nanosleep getrusage arch_prctl set_tid_address exit_group',
    'they cannot fail',
  ],
  ['fcntl ioctl prctl dup', 'libuv sets flags of its own descriptors and names of threads, and asserts that it can'],
  [
    'setsockopt getsockopt getsockname getpeername shutdown',
    'libuv calls them for sockets that it has just made or is about to close',
  ],
]
const runtimeCalls = new Set(runtime.flatMap(([calls]) => calls.split(' ')))

function isOfRuntime(name: string, args: string): boolean {
  if (name === 'close' && neverFailsToClose(args)) return true
  return ownDescriptors.test(args) || standardStreams.test(`${name}(${args}`)
}

/** Descriptors that wake libuv's loop, report signals and ended children. If they fail, it aborts or waits for ever. */
const ownDescriptors = /^\d+<anon_inode:\[(?:eventfd|eventpoll|io_uring|signalfd)\]>|^(?:[3-9]|\d{2,})<pipe:/

/** Node checks the standard streams at its start and end, and koffi's library when it is unloaded: both abort. */
const standardStreams = /^(?:fstat|fsync|fcntl|ioctl|newfstatat|statx)\([012]</

/** Only a written file can fail to close. libuv asserts this for sockets, and Node for files that it reads whole. */
const neverFailsToClose = (args: string): boolean =>
  /^\d+<(?:socket:|\/(?:proc|sys|etc|dev|usr|lib)\/)/.test(args) || args.includes(`<${repository}`)
