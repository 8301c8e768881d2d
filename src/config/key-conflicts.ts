/**
 * Keys that do not fit together. They are checked in the text as given, so that these problems are reported together
 * with all others.
 */

import { join, resolve } from 'node:path'
import { sealLevels } from '../model/result/evidence.ts'
import * as defaults from './defaults.ts'
import { sinkKeys } from './sinks/alert-sinks.ts'

export interface KeyProblem {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** @param folder of the configuration file: relative paths count from it */
export function conflictsBetweenKeys(document: unknown, folder: string): readonly KeyProblem[] {
  const keys = keysOf(document)
  return [
    ...serviceDisagreements(keys['service']),
    ...tenantsWithoutRoots(keys),
    ...backupsWithoutFolder(keys['backups']),
    ...sharedFolders(keys, folder),
    ...sinkConflicts(keys['alerts']),
    ...fleetWithoutDatabase(keys['fleet']),
    ...levelsThatNeverCount(keysOf(keys['hold'])['require']),
    ...unclearInvariants(keysOf(keys['check'])['invariants']),
  ]
}

/** Files have roots of their own: the fixed parts of the patterns. */
function* tenantsWithoutRoots({ service, tenants }: Readonly<Record<string, unknown>>): Generator<KeyProblem> {
  if (isThere(keysOf(service)['files'])) return
  if (!isThere(tenants)) yield { path: ['tenants'], message: 'is missing' }
  else if (typeof tenants === 'object' && !Array.isArray(tenants) && !isThere(keysOf(tenants)['roots']))
    yield { path: ['tenants', 'roots'], message: 'is missing: expected a list of folders such as [/srv/notes]' }
}

function* backupsWithoutFolder(given: unknown): Generator<KeyProblem> {
  const { dir, keep, maxAge, fetch } = keysOf(given)
  if (isThere(dir)) return
  const path = (key: string): KeyProblem['path'] => ['backups', key]
  if (isThere(keep)) yield { path: path('keep'), message: 'needs backups.dir: without it no backups are kept' }
  if (isThere(maxAge)) yield { path: path('maxAge'), message: 'needs backups.dir: without it no backups are kept' }
  if (isThere(fetch))
    yield { path: path('fetch'), message: 'needs backups.dir: a fetched backup is checked and kept there' }
}

function* fleetWithoutDatabase(given: unknown): Generator<KeyProblem> {
  const keys = keysOf(given)
  const { database } = keys
  if (!isThere(database)) {
    for (const key of Object.keys(keys).filter((key) => isThere(keys[key])))
      yield { path: ['fleet', key], message: 'needs fleet.database: without it this host belongs to no fleet' }
  } else if (typeof database === 'string' && database.startsWith('pglite:')) {
    for (const key of ['passwordFile', 'caFile'].filter((key) => isThere(keys[key])))
      yield { path: ['fleet', key], message: 'belongs to postgres://; a folder does not use it' }
  }
  const { at, zone } = keysOf(keys['schedule'])
  if (isThere(zone) && !isThere(at))
    yield { path: ['fleet', 'schedule', 'zone'], message: 'needs fleet.schedule.at: without it no sweep is scheduled' }
}

const levels: ReadonlySet<unknown> = new Set(sealLevels)

/** The first rule that fits a tenant counts. */
function* levelsThatNeverCount(given: unknown): Generator<KeyProblem> {
  if (!Array.isArray(given)) return
  const forAll = (given as readonly unknown[]).findIndex((rule) => {
    const { level, tenants, ...others } = typeof rule === 'string' ? { level: rule } : keysOf(rule)
    // A rule with another mistake is reported for that.
    return levels.has(level) && !isThere(tenants) && Object.keys(others).length === 0
  })
  if (forAll === -1) return
  for (let at = forAll + 1; at < given.length; at++) {
    yield {
      path: ['hold', 'require', at],
      message: `never counts, because hold.require[${forAll}] is for all tenants: put rules with tenants before it`,
    }
  }
}

function* unclearInvariants(given: unknown): Generator<KeyProblem> {
  if (!Array.isArray(given)) return
  const names = new Set<unknown>()
  for (const [at, rule] of (given as readonly unknown[]).entries()) {
    const { name, sql, command } = keysOf(rule)
    const path = ['check', 'invariants', at]
    if (isThere(sql) === isThere(command))
      yield { path, message: isThere(sql) ? 'has sql and command: a rule has one of them' : 'needs sql or command' }
    if (names.has(name)) yield { path: [...path, 'name'], message: 'is the name of another rule too' }
    names.add(name)
  }
}

/** A person empties some of these folders, holdfast others: no two of them may be the same. */
function* sharedFolders(document: Readonly<Record<string, unknown>>, folder: string): Generator<KeyProblem> {
  const given = (section: string): string | null => {
    const { dir } = keysOf(document[section])
    return typeof dir === 'string' ? resolve(folder, dir) : null
  }
  const ledger = given('ledger') ?? defaults.defaultLedgerDir
  const owners = new Map([
    [ledger, 'ledger'],
    [given('snapshots') ?? defaults.defaultSnapshotDir, 'snapshots'],
  ])
  for (const [section, byDefault] of [
    ['backups', null],
    ['quarantine', join(ledger, defaults.defaultQuarantineName)],
    ['accounts', join(ledger, defaults.defaultAccountsName)],
  ] as const) {
    const dir = given(section) ?? byDefault
    if (dir === null) continue
    const owner = owners.get(dir)
    if (owner === undefined) {
      owners.set(dir, section)
      continue
    }
    const [at, other] = given(section) === null ? [owner, section] : [section, owner]
    yield { path: [at, 'dir'], message: `is the folder of ${other}.dir too: each needs a folder of its own` }
  }
}

/** How the tenants of a service are known. */
const ways = [
  { key: 'admin', is: 'an admin API' },
  { key: 'hooks', is: 'hooks' },
  { key: 'files', is: 'files' },
] as const

function* serviceDisagreements(given: unknown): Generator<KeyProblem> {
  if (given === null || given === undefined || typeof given !== 'object' || Array.isArray(given)) return
  const service = keysOf(given)
  const at = (key: string, message: string): KeyProblem => ({ path: ['service', key], message })
  const { admin } = service
  const [way, ...others] = ways.filter(({ key }) => isThere(service[key]))
  for (const other of others)
    yield at(other.key, `cannot be used with service.${way?.key}: a service has ${way?.is} or ${other.is}, not both`)
  if (way === undefined) {
    yield {
      path: ['service'],
      message:
        'needs admin, hooks or files: admin: unix:/path/of/admin.sock, or hooks: with the commands tenants, quiesce ' +
        'and resume, or files: with patterns such as "/srv/app/*.sqlite" for a program that cannot be paused',
    }
  }
  if (way !== undefined && way.key !== 'admin') {
    for (const key of ['tokenFile', 'caFile', 'requestTimeout'].filter((key) => isThere(service[key])))
      yield at(key, `belongs to an admin API; ${way.key} do not use it`)
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

/** What is wrong with the sinks beside the values of their keys. */
function* sinkConflicts(given: unknown): Generator<KeyProblem> {
  if (!Array.isArray(given)) return
  for (const [at, sink] of given.entries()) {
    if (typeof sink !== 'object' || sink === null || Array.isArray(sink)) continue
    const keys = sink as Readonly<Record<string, unknown>>
    const named = sinkKeys.filter((key) => isThere(keys[key]))
    if (named.length === 0) yield { path: ['alerts', at], message: `needs one of ${sinkKeys.join(', ')}` }
    if (named.length > 1)
      yield { path: ['alerts', at, named[1] ?? ''], message: `stands beside ${named[0]}: a sink has one of them` }
    if (isThere(keys['heartbeat']) && isThere(keys['on']))
      yield { path: ['alerts', at, 'on'], message: 'goes with alarms; a heartbeat gets none' }
  }
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null
const keysOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
