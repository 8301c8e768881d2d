/** One system call of one process of one command that fails once. */

/** Each is a program of its own; `main` is the command itself. */
const roles = ['main', 'probe', 'guardian', 'reader', 'ledger', 'resume', 'mender', 'salvage', 'merge'] as const
export type Role = (typeof roles)[number]

export interface Injection {
  readonly command: string
  readonly role: Role
  /** As strace names it. */
  readonly call: string
  /** Which call fails, counted from 1 in each thread of the process. With a path, only calls on that path count. */
  readonly when: number
  readonly errno: string
  /** With the aliases of the scene. null if the call has no path, or a random one. */
  readonly path: string | null
}

/** As one word that `parseInjection` reads. */
const formatInjection = ({ command, role, call, when, errno, path }: Injection): string =>
  [command, role, call, when, errno, ...(path === null ? [] : [path])].join(',')

/** @throws for a text that `formatInjection` did not write */
export function parseInjection(text: string): Injection {
  const [command = '', role = '', call = '', when = '', errno = '', path = null] = text.split(',')
  const known = roles.find((one) => one === role)
  if (known === undefined || !(Number(when) > 0) || errno === '') throw new Error(`not an injection: ${text}`)
  return { command, role: known, call, when: Number(when), errno, path }
}

/** The command that repeats one injection. */
export const reproduceCommand = (injection: Injection): string =>
  `node test/support/system-calls/reproduce.ts '${formatInjection(injection)}'`
