/** What a running program is, for people: its command, its user, and the unit of systemd that started it. */
import { readFileSync } from 'node:fs'
import { goneOrHidden } from '../locks/open-descriptors.ts'
import { commandOf } from './command-line.ts'

export interface ProgramFacts {
  readonly pid: number
  /** Without arguments that may hold secrets. */
  readonly command: string
  /** Its name, or its number if it has no name in /etc/passwd; null if that cannot be seen. */
  readonly user: string | null
  /** The unit of the system's manager: `vault.service`; null for none. */
  readonly unit: string | null
}

export async function programFactsOf(pid: number): Promise<ProgramFacts> {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? null
  return {
    pid,
    command: await commandOf(pid),
    user: uid === null ? null : (userNames().get(uid) ?? uid),
    unit: unitIn(textOf(`/proc/${pid}/cgroup`)),
  }
}

/**
 * Pure. A unit below `user.slice` belongs to a person's own manager, which `systemctl` asks only with `--user`.
 * @param cgroup text of /proc/PID/cgroup (cgroups(7))
 */
export function unitIn(cgroup: string): string | null {
  const line = cgroup.split('\n').find((one) => /^(?:0:|\d+:name=systemd):/.test(one)) ?? ''
  const parts = line.split('/').slice(1)
  if (parts[0] !== 'system.slice') return null
  return parts.findLast((part) => /^[A-Za-z0-9:_][A-Za-z0-9:_.@\\-]{0,200}\.service$/.test(part)) ?? null
}

let names: ReadonlyMap<string, string> | null = null

/** Users of /etc/passwd, by number. Read once. */
function userNames(): ReadonlyMap<string, string> {
  names ??= new Map(
    textOf('/etc/passwd')
      .split('\n')
      .map((line) => line.split(':'))
      .flatMap(([name = '', , uid = '']) => (/^[\w.-]{1,64}\$?$/.test(name) && /^\d+$/.test(uid) ? [[uid, name]] : [])),
  )
  return names
}

/** Empty if it is gone, or if we may not read it. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (goneOrHidden(error) !== null) return ''
    throw error
  }
}
