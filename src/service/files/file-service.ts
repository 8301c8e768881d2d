/**
 * A service that cannot be asked for anything: its tenants are the files that patterns find (README.md of this folder).
 * No tenant is ever paused, so a hold of such a tenant has no connection, and calls about pauses are refused.
 */
import type { ServiceSettings } from '../../config/settings.ts'
import type { TenantId } from '../../model/brand.ts'
import { Bug, invariant } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import { pathPattern, type PathPattern } from '../../text/path-pattern.ts'
import {
  nothingLeftOut,
  type Capabilities,
  type ListOmissions,
  type OpenLease,
  type QuiesceAnswer,
  type RegisteredTenant,
  type LeaseEnd,
  type Service,
  type TenantStatus,
} from '../port.ts'
import { idLettersMax } from '../registry-bounds.ts'
import { findFiles } from './find-files.ts'
import { commonFolder, fileTenantId } from './tenant-ids.ts'

type FileSettings = Extract<ServiceSettings, { kind: 'files' }>

export class FileService implements Service {
  readonly via = 'files'
  readonly callMsMax = 0
  leftOut: ListOmissions = nothingLeftOut
  readonly #settings: FileSettings
  readonly #patterns: readonly PathPattern[]

  constructor(settings: FileSettings) {
    this.#settings = settings
    this.#patterns = settings.patterns.map(patternOf)
  }

  capabilities(): Promise<Capabilities> {
    const { name: service } = this.#settings
    return Promise.resolve({ service, version: 'unknown', sqliteVersion: null, bootId: null, modes: [], limits: {} })
  }

  /** @throws {Failure} REGISTRY_STALE if the search exceeds a limit */
  async tenants(signal: AbortSignal): Promise<readonly RegisteredTenant[]> {
    const { roots, own } = this.#settings
    const { files, unsearched, links } = await findFiles({ patterns: this.#patterns, roots, own }, signal)
    const base = commonFolder(this.#patterns.map(({ fixed }) => fixed))
    const listed = files.map((path) => ({ id: fileTenantId(base, path), files: [path], state: 'active' as const }))
    const tooLong = listed.filter(({ id }) => id.length > idLettersMax).flatMap(({ files: [path = ''] }) => path)
    this.leftOut = { links, unsearched: [...unsearched, ...tooLong.map(withTooLongId)] }
    return listed.filter(({ id }) => id.length <= idLettersMax)
  }

  tenant(id: TenantId): Promise<TenantStatus> {
    return Promise.resolve({ id, state: 'active', healthy: true, lease: null, lastError: null })
  }

  servingStatus(id: TenantId): Promise<TenantStatus> {
    return this.tenant(id)
  }

  quiesce(): Promise<QuiesceAnswer> {
    return Promise.reject(new Bug('a tenant of service.files is held without a service'))
  }

  quiesceMsMax(): number {
    return 0
  }

  renew(): Promise<{ readonly expiresInMs: number }> {
    return Promise.reject(new Bug('a tenant of service.files has no lease'))
  }

  /** Called only for a hold that another configuration of this service began. */
  resume(): Promise<LeaseEnd> {
    const message = 'service.files has no command that resumes a program, and pauses none'
    return Promise.reject(new Failure('RESUME_FAILED', message, { hint: resumeHint }))
  }

  endEarlierCommands(): Promise<void> {
    return Promise.resolve()
  }

  leases(): Promise<readonly OpenLease[]> {
    return Promise.resolve([])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

const resumeHint =
  'the pause was begun with service.admin or service.hooks: run `holdfast resume` with that configuration, or start ' +
  'the program yourself'

function patternOf(text: string): PathPattern {
  const pattern = pathPattern(text)
  invariant('steps' in pattern, 'the configuration has read this pattern')
  return pattern
}

const withTooLongId = (path: string): ListOmissions['unsearched'][number] => ({
  path,
  failure: new Failure('REGISTRY_STALE', `${path} has too long a path for the id of a tenant`, {
    hint: `an id has at most ${idLettersMax} letters: begin its pattern with a deeper folder`,
  }),
})
