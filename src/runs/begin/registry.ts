/**
 * The service's list of tenants is the truth (I3.1). What the ledger knows is compared with it, and never added to it
 * silently. If the service gives no valid list, a run goes on with the copy of the last one for a time (I5.1).
 */

import type { Settings } from '../../config/settings.ts'
import type { LastResult, Ledger } from '../../ledger/ledger.ts'
import { ageOf } from '../../model/age.ts'
import type { TenantId } from '../../model/brand.ts'
import type { RegistrySource } from '../../model/event.ts'
import { Failure } from '../../model/failure.ts'
import { orFailure } from '../../model/or-failure.ts'
import { holdsNothing } from '../../service/files/empty-file.ts'
import type { RegisteredTenant, Service, UnsearchedPath } from '../../service/port.ts'
import { count } from '../../text/count.ts'
import { humanMs } from '../../text/units.ts'
import { keepRegistryCopy, readRegistryCopy, registryCopyFile } from './registry-copy.ts'
import type { Target } from './target.ts'

export interface ServiceRegistry {
  /** `cached`: the service gave no valid list, and this is the copy of the last one. */
  readonly source: 'live' | 'cached'
  readonly tenants: readonly RegisteredTenant[]
  /**
   * Files that the ledger knows and the service no longer lists. Their tenant may still be listed. Each is reported
   * once. Empty for a copy: it shows nothing about what the service lists now.
   */
  readonly gone: readonly GoneFile[]
  /** Places whose files are not known (`service.files`). Tenants there that the ledger knows are still listed. */
  readonly unsearched: readonly UnsearchedPath[]
}

interface GoneFile {
  readonly tenant: TenantId
  readonly path: string
  readonly failure: Failure
}

/** What reading the registry needs of a run. */
export interface RegistryReader {
  readonly settings: Pick<Settings, 'file' | 'service' | 'ledger' | 'registry'>
  readonly service: Pick<Service, 'tenants' | 'leftOut'>
  readonly ledger: Pick<Ledger, 'append'>
  readonly signal: AbortSignal
  /** ms since 1970. */
  readonly now: () => number
  /** Called once, before the list is used. `notices`: sentences for the report. */
  readonly onRegistry: (source: RegistrySource, notices: readonly string[]) => void
}

/** True if the file was reported as gone, and no sweep has found it listed again. */
export const isGone = ({ failure }: LastResult): boolean => failure === 'TENANT_GONE' || failure === 'FILE_GONE'

/**
 * The service's list of tenants, or the copy of it. A good list becomes the new copy.
 * @throws {Failure} REGISTRY_STALE if the copy is older than the grace; ADMIN_REFUSED. Without a copy: what the service
 * answered, such as ADMIN_UNREACHABLE, or REGISTRY_STALE if the list cannot be true.
 */
export async function readRegistry(
  reader: RegistryReader,
  lastResults: readonly LastResult[],
): Promise<ServiceRegistry> {
  const known = lastResults.filter((result) => !isGone(result) && result.failure !== 'EMPTY_FILE')
  const empty: string[] = []
  const tenants = await orFailure(listTenants(reader, known, empty))
  if (!(tenants instanceof Failure)) {
    const takenAt = reader.now()
    const unkept = countFiles(tenants) === 0 ? null : keepRegistryCopy(reader.settings, tenants, takenAt)
    const notices = unkept === null ? [] : [`the copy of the list of tenants could not be kept: ${unkept}`]
    const { unsearched, links } = reader.service.leftOut
    const partly = unsearchedIn(unsearched)
    await announce(reader, { source: 'live', since: takenAt, ...partly }, [
      ...notices,
      ...aboutLinks(links),
      ...aboutEmpty(empty),
    ])
    return { source: 'live', tenants, gone: findGone(tenants, known, reader.settings.service.kind), unsearched }
  }
  // Who is not let in gets no other answer for a tenant either: a wrong token is no outage.
  if (reader.signal.aborted || tenants.code === 'INTERRUPTED' || tenants.code === 'ADMIN_REFUSED') throw tenants
  return { source: 'cached', tenants: await fallBack(reader, tenants), gone: [], unsearched: [] }
}

/**
 * @param empty gets the files that are left out because they are empty
 * @throws {Failure} REGISTRY_STALE if the list cannot be true; ADMIN_UNREACHABLE and the like
 */
async function listTenants(
  { service, settings, signal }: RegistryReader,
  known: readonly LastResult[],
  empty: string[],
): Promise<readonly RegisteredTenant[]> {
  const all = await service.tenants(signal)
  const listed = settings.service.kind === 'files' ? await withoutEmpty(all, known, empty, signal) : all
  const tenants = [...listed, ...knownBelow(service.leftOut.unsearched, listed, known)]
  if (new Set(tenants.map(({ id }) => id)).size < tenants.length)
    throw new Failure('REGISTRY_STALE', 'the service lists a tenant twice')
  if (countFiles(tenants) > 0) return tenants
  const none = describeNone(tenants, settings.service.kind)
  if (known.length > 0)
    throw new Failure(
      'REGISTRY_STALE',
      `${none}, and ${count(known.length, 'file of a tenant is', 'files of tenants are')} known`,
    )
  const copy = await readRegistryCopy(settings)
  if (copy.kind === 'read' && countFiles(copy.tenants) > 0)
    throw new Failure('REGISTRY_STALE', `${none}, and it listed ${count(copy.tenants.length, 'tenant')} before`, {
      hint:
        `no tenant was checked, and none was paused; if the list is right, delete ${registryCopyFile(settings)}; ` +
        "else mend the service's list",
    })
  return tenants
}

/** A list without any file is like an empty one: it leaves nothing to check. */
const countFiles = (tenants: readonly RegisteredTenant[]): number =>
  tenants.reduce((sum, { files }) => sum + files.length, 0)

function describeNone(tenants: readonly RegisteredTenant[], via: Service['via']): string {
  if (via === 'files') return 'service.files finds no file'
  return tenants.length === 0 ? 'the service lists no tenants' : 'the service lists no file of any tenant'
}

/** The pattern of a person names it, no service does. One that the ledger knows as a database stays: it is damaged. */
async function withoutEmpty(
  tenants: readonly RegisteredTenant[],
  known: readonly LastResult[],
  empty: string[],
  signal: AbortSignal,
): Promise<readonly RegisteredTenant[]> {
  const databases = new Set(known.map(({ path }) => path))
  const left: RegisteredTenant[] = []
  for (const tenant of tenants) {
    signal.throwIfAborted()
    const [path = ''] = tenant.files
    if (!databases.has(path) && (await holdsNothing(path))) empty.push(path)
    else left.push(tenant)
  }
  return left
}

/** A file in a folder that cannot be searched is not gone. Its own check says what is wrong. */
function knownBelow(
  unsearched: readonly UnsearchedPath[],
  listed: readonly RegisteredTenant[],
  known: readonly LastResult[],
): readonly RegisteredTenant[] {
  const ids = new Set(listed.map(({ id }) => id))
  return known
    .filter(({ tenant, path }) => !ids.has(tenant) && unsearched.some((place) => isAtOrBelow(path, place.path)))
    .map(({ tenant, path }) => ({ id: tenant, files: [path], state: 'active' }))
}

const isAtOrBelow = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`)

const whyLettersMax = 1_000

const unsearchedIn = ([first, ...more]: readonly UnsearchedPath[]): Pick<
  RegistrySource & { source: 'live' },
  'unsearched'
> =>
  first === undefined
    ? {}
    : { unsearched: { places: 1 + more.length, first: first.failure.message.slice(0, whyLettersMax) } }

const namedMax = 3

function firstOf(paths: readonly string[]): string {
  const more = paths.length - namedMax
  return `${paths.slice(0, namedMax).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const aboutLinks = (links: readonly string[]): readonly string[] =>
  links.length === 0
    ? []
    : [
        `symbolic links were not followed: ${firstOf(links)}; ` +
          'what they lead to is checked only if a pattern names it',
      ]

const aboutEmpty = (empty: readonly string[]): readonly string[] =>
  empty.length === 0
    ? []
    : [`empty files were left out: ${firstOf(empty)}; each is a tenant as soon as a program has written to it`]

/** @param failure why the service gave no valid list @throws {Failure} if there is no copy that may be used */
async function fallBack(reader: RegistryReader, failure: Failure): Promise<readonly RegisteredTenant[]> {
  const { settings, now } = reader
  const { code, message: why } = failure
  const copy = await readRegistryCopy(settings)
  if (copy.kind !== 'read') {
    const ignored = `${registryCopyFile(settings)} is ignored: ${copy.kind === 'wrong' ? copy.why : ''}`
    await announce(reader, { source: 'refused', since: null, code, why }, copy.kind === 'wrong' ? [ignored] : [])
    throw failure
  }
  const { takenAt: since, tenants } = copy
  const { graceMs } = settings.registry
  const ageMs = ageOf(since, now())
  if (ageMs === null || ageMs > graceMs) {
    await announce(reader, { source: 'refused', since, code, why }, [])
    throw tooOld(failure, since, ageMs, graceMs)
  }
  const notice =
    `the service gave no valid list of tenants (${why}); this run used the copy of ${timeText(since)}, ` +
    `which is ${humanMs(ageMs)} old. registry.grace allows ${humanMs(graceMs)}`
  await announce(reader, { source: 'cached', since, code, why }, [notice])
  return tenants
}

function tooOld(failure: Failure, since: number, ageMs: number | null, graceMs: number): Failure {
  const age = ageMs === null ? 'is in the future, because a clock was wrong' : `is ${humanMs(ageMs)} old`
  return new Failure(
    'REGISTRY_STALE',
    `the service gives no valid list of tenants (${failure.message}), and the copy of ${timeText(since)} ${age}; ` +
      `registry.grace allows ${humanMs(graceMs)}`,
    {
      cause: failure,
      hint:
        "no tenant was checked, and none was paused; mend the service's list of tenants: `holdfast doctor` tries " +
        'each call; to go on with the copy, raise registry.grace',
    },
  )
}

/** The line is for `status` and alarms. A ledger that cannot be written prevents no check. */
async function announce(
  { ledger, onRegistry }: RegistryReader,
  source: RegistrySource,
  notices: readonly string[],
): Promise<void> {
  onRegistry(source, notices)
  await orFailure(ledger.append({ kind: 'registry-read', ...source }))
}

const timeText = (at: number): string => new Date(at).toISOString()

function findGone(
  tenants: readonly RegisteredTenant[],
  known: readonly LastResult[],
  via: Service['via'],
): readonly GoneFile[] {
  const listed = new Map(tenants.map(({ id, files }) => [id, new Set(files)]))
  return known
    .filter(({ tenant, path }) => listed.get(tenant)?.has(path) !== true)
    .map(({ tenant, path }) => ({ tenant, path, failure: whyGone(tenant, path, listed.has(tenant), via) }))
}

const whenFilesAreGone =
  'if it was removed on purpose, do nothing: later runs do not report it. A pattern that is new in service.files may ' +
  'change the ids of all files (src/service/files/README.md): then their history stays under the old ids'

function whyGone(tenant: TenantId, path: string, tenantIsListed: boolean, via: Service['via']): Failure {
  if (via === 'files')
    return new Failure('TENANT_GONE', `service.files no longer finds ${path}`, { hint: whenFilesAreGone })
  return tenantIsListed
    ? new Failure('FILE_GONE', `the service still lists ${tenant}, but no longer its file ${path}`)
    : new Failure('TENANT_GONE', `the service no longer lists ${tenant}`)
}

/** One target for each database file of each tenant, in the tenant's order; a file that is listed twice is one file. */
export const targetsOf = (tenants: readonly RegisteredTenant[]): readonly Target[] =>
  tenants.flatMap(({ id, files }) => [...new Set(files)].map((named) => ({ tenant: id, named })))

/**
 * @throws {Failure} TENANT_UNKNOWN, naming the ids that the service does not list, or REGISTRY_STALE if only a copy
 * does not. USAGE, naming those that it lists without any file, because there would be no result for them
 */
export function pickTenants(
  { tenants, source }: Pick<ServiceRegistry, 'tenants' | 'source'>,
  ids: readonly TenantId[],
): readonly RegisteredTenant[] {
  const byId = new Map(tenants.map((tenant) => [tenant.id, tenant]))
  const unknown = ids.filter((id) => !byId.has(id)).map((id) => JSON.stringify(id))
  if (unknown.length > 0) throw whyUnknown(unknown.join(', '), source)
  const picked = [...new Set(ids)].flatMap((id) => byId.get(id) ?? [])
  const empty = picked.filter(({ files }) => files.length === 0)
  if (empty.length === 0) return picked
  throw new Failure(
    'USAGE',
    `the service lists ${empty.map(({ id }) => JSON.stringify(id)).join(', ')} without any database file`,
    { hint: "there is nothing to check; if it should have one, correct the service's list of tenants" },
  )
}

const whyUnknown = (names: string, source: ServiceRegistry['source']): Failure =>
  source === 'live'
    ? new Failure('TENANT_UNKNOWN', `the service does not list ${names}`)
    : new Failure(
        'REGISTRY_STALE',
        `the service gives no valid list of tenants, and the copy of the last one does not have ${names}`,
      )
