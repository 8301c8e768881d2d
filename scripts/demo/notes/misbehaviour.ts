/** Ways in which a service can break its promises, each with a name. Tests use them to see that holdfast notices. */

/**
 * What each does. A number after `=` is its measure, `:` limits it to one tenant, `@2` to the second pause of a tenant,
 * and `@2+` to the second and all later ones: `slow=3000:bolt@2`.
 */
export const misbehaviours = {
  'keeps-writing': 'answers quiesced with no open handles, and goes on writing through a hidden one',
  'keeps-handles': 'keeps an idle handle open but reports none',
  'keeps-shm-open': 'keeps a descriptor on the -shm open but reports none',
  'writes-once': 'writes one row, once, the given ms (5) after it answered quiesced, through a fresh handle',
  'wrong-inode': 'reports another inode than that of the file',
  'outside-roots': 'names a file outside its folder in the registry and in its answers',
  'new-boot-id': 'reports another boot id when it resumes',
  discontinuous: 'answers a resume with continuous: false',
  restarts: 'forgets everything, as a new process does, the given ms (0) after it answered quiesced',
  'lease-expires': 'ends the lease the given ms (1) after it answered quiesced, though it granted what was asked',
  'loses-replies': 'does the work and destroys the connection, once for each kind of request',
  slow: 'does the work and answers quiesce and resume the given ms (2000) later',
  'never-answers': 'does the work of a quiesce and never answers it',
  'never-answers-resume': 'does the work of a resume and never answers it',
  'refuses-resume': 'answers 500 to a resume and stays quiesced until the lease ends',
  'unknown-lease': 'answers 410 to a resume, as if there had been no such lease',
  'unhealthy-after-resume': 'is unhealthy after a resume',
  unhealthy: 'is always unhealthy',
  busy: 'answers 423 to a quiesce',
  denies: 'answers 403 to a quiesce',
  limit: 'answers 429 to the first two attempts to quiesce',
  starting: 'answers 503 to the first two attempts to quiesce',
  'close-fails': 'cannot close its handles: 500, active again',
  'long-job': 'begins a job of the given ms (60000) when a quiesce comes',
  garbage: 'does the work of a quiesce and answers with text that is not JSON',
  crashes: 'ends as by a fault of memory when a transfer meets a damaged page, in the middle of its transaction',
  'repeats-cursor': 'answers every page of the registry with the same cursor',
  'empty-registry': 'answers with a registry without tenants',
} as const satisfies Record<string, string>

export type Misbehaviour = keyof typeof misbehaviours

interface Fault {
  readonly name: Misbehaviour
  readonly measure: number | null
  readonly tenant: string | null
  /** Pauses of a tenant in which it shows, counted from 1. */
  readonly pauses: { readonly first: number; readonly last: number }
}

export class ServiceFaults {
  readonly #faults: readonly Fault[]
  readonly #counts = new Map<string, number>()
  /** How often each tenant was asked to pause. */
  readonly #pauses = new Map<string, number>()

  /** @throws {Error} for an unknown name */
  constructor(list: string) {
    this.#faults = list
      .split(',')
      .filter((item) => item !== '')
      .map(parse)
  }

  /** To be called for each request to quiesce, before any other question about its tenant. */
  beginPause(tenant: string): void {
    this.#pauses.set(tenant, (this.#pauses.get(tenant) ?? 0) + 1)
  }

  has(name: Misbehaviour, tenant: string | null): boolean {
    return this.#find(name, tenant) !== undefined
  }

  /** @returns the number after `=`, or `usual` without one; null if the service does not have this fault */
  measure(name: Misbehaviour, tenant: string | null, usual: number): number | null {
    const fault = this.#find(name, tenant)
    return fault ? (fault.measure ?? usual) : null
  }

  /** @returns true for the first `times` calls with the same name and occasion, if the service has this fault */
  first(name: Misbehaviour, tenant: string | null, occasion: string, times: number): boolean {
    if (!this.has(name, tenant)) return false
    const key = `${name} ${occasion}`
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, count)
    return count <= times
  }

  #find(name: Misbehaviour, tenant: string | null): Fault | undefined {
    const pause = tenant === null ? 0 : (this.#pauses.get(tenant) ?? 0)
    return this.#faults.find(
      (fault) =>
        fault.name === name &&
        (fault.tenant === null || fault.tenant === tenant) &&
        fault.pauses.first <= pause &&
        pause <= fault.pauses.last,
    )
  }
}

function parse(item: string): Fault {
  const [, name = '', measure, tenant, pause, andLater] =
    /^([a-z-]+)(?:=([0-9]+))?(?::([^@]+))?(?:@([0-9]+)(\+)?)?$/.exec(item) ?? []
  if (!Object.hasOwn(misbehaviours, name))
    throw new Error(`no such misbehaviour: ${item}\nknown: ${Object.keys(misbehaviours).join(', ')}`)
  return {
    name: name as Misbehaviour,
    measure: measure === undefined ? null : Number(measure),
    tenant: tenant ?? null,
    pauses: {
      first: Number(pause ?? 0),
      last: pause === undefined || andLater !== undefined ? Number.POSITIVE_INFINITY : Number(pause),
    },
  }
}
