/**
 * Writes down when each pause of a tenant begins and ends. Times are of the monotonic clock, which all processes of a
 * machine share: so the pauses of several services can be laid over each other.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'

export class PauseLog {
  readonly #file: string | null
  readonly #paused = new Set<string>()

  /** @param file null: nothing is written */
  constructor(file: string | null) {
    this.#file = file
  }

  begin(tenant: string): void {
    if (!this.#paused.has(tenant)) this.#write('begin', tenant)
    this.#paused.add(tenant)
  }

  /** A tenant that opens for the first time was not paused. */
  end(tenant: string): void {
    if (this.#paused.delete(tenant)) this.#write('end', tenant)
  }

  #write(what: 'begin' | 'end', tenant: string): void {
    if (this.#file !== null) appendFileSync(this.#file, `${process.hrtime.bigint()} ${what} ${tenant}\n`)
  }
}

export interface LoggedPause {
  readonly tenant: string
  readonly beganNs: bigint
  /** null if the tenant is paused now. */
  readonly endedNs: bigint | null
}

export function readPauses(file: string): readonly LoggedPause[] {
  const open = new Map<string, bigint>()
  const pauses: LoggedPause[] = []
  for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []) {
    const [at = '0', what = '', tenant = ''] = line.split(' ')
    const beganNs = open.get(tenant)
    if (what === 'begin') open.set(tenant, BigInt(at))
    else if (beganNs !== undefined && open.delete(tenant)) pauses.push({ tenant, beganNs, endedNs: BigInt(at) })
  }
  return [...pauses, ...Array.from(open, ([tenant, beganNs]) => ({ tenant, beganNs, endedNs: null }))]
}

/** The largest number of tenants that stood still at the same time. */
export function mostAtOnce(pauses: readonly LoggedPause[]): number {
  // At the same instant an end comes first.
  const steps = pauses
    .flatMap(({ beganNs, endedNs }) => [{ at: beganNs, by: 1 }, ...(endedNs === null ? [] : [{ at: endedNs, by: -1 }])])
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.by - b.by))
  let now = 0
  return steps.reduce((most, { by }) => Math.max(most, (now += by)), 0)
}
