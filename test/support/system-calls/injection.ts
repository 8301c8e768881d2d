/** One system call of one process of one command that fails once. */

/** Each is a program of its own. `main` is the command that a person typed. */
export const roles = ['main', 'probe', 'guardian', 'reader', 'ledger', 'resume'] as const
export type Role = (typeof roles)[number]

export interface Injection {
  readonly command: string
  readonly role: Role
  /** As strace names it. */
  readonly call: string
  /** Counted in each thread of the process. Where a path is given, only calls on it count. */
  readonly when: number
  readonly errno: string
  /** With the aliases of the place. null where the call has no path, or one that is drawn at random. */
  readonly path: string | null
}

/** In one word that `parse` takes. */
export const spell = ({ command, role, call, when, errno, path }: Injection): string =>
  [command, role, call, when, errno, ...(path === null ? [] : [path])].join(',')

/** @throws for what `spell` did not write */
export function parse(spelled: string): Injection {
  const [command = '', role = '', call = '', when = '', errno = '', path = null] = spelled.split(',')
  const known = roles.find((one) => one === role)
  if (known === undefined || !(Number(when) > 0) || errno === '') throw new Error(`no injection: ${spelled}`)
  return { command, role: known, call, when: Number(when), errno, path }
}

/** What a person types to see it again. */
export const commandFor = (injection: Injection): string =>
  `node test/faults/system-calls/reproduce.ts '${spell(injection)}'`
