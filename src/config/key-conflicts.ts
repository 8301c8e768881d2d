/**
 * Keys that do not fit together. They are checked in the text as given, so that these problems are reported together
 * with all others.
 */

export interface KeyProblem {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

export function conflictsBetweenKeys(document: unknown): readonly KeyProblem[] {
  return [...serviceDisagreements(keysOf(document)['service'])]
}

function* serviceDisagreements(given: unknown): Generator<KeyProblem> {
  if (given === null || given === undefined || typeof given !== 'object' || Array.isArray(given)) return
  const service = keysOf(given)
  const at = (key: string, message: string): KeyProblem => ({ path: ['service', key], message })
  const { admin, hooks } = service
  if (isThere(admin) && isThere(hooks))
    yield at('hooks', 'stands beside service.admin: a service has an admin API or hooks, not both')
  if (!isThere(admin) && !isThere(hooks)) {
    yield {
      path: ['service'],
      message:
        'needs admin or hooks, to reach the service: admin: ' +
        'unix:/path/of/admin.sock, or hooks: with the commands tenants, quiesce and resume',
    }
  }
  if (isThere(hooks) && !isThere(admin)) {
    for (const key of ['tokenFile', 'caFile', 'requestTimeout'].filter((key) => isThere(service[key])))
      yield at(key, 'belongs to an admin API; hooks do not use it')
  }
  if (typeof admin !== 'string') return
  if (admin.startsWith('unix:') && isThere(service['caFile']))
    yield at('caFile', 'belongs to https; a unix socket does not use it')
  if (/^https:/i.test(admin) && !isThere(service['tokenFile']))
    yield {
      path: ['service'],
      message:
        'tokenFile is missing: over https the service knows holdfast by its ' +
        'token, such as tokenFile: /etc/holdfast/notes.token',
    }
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null
const keysOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
