/** The demo service as a test uses it: a real process with real tenants, asked through the real client. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tenantName } from '../../../scripts/demo/names.ts'
import { isWhole, verifyTenants } from '../../../scripts/demo/verify.ts'
import type { ServiceSettings } from '../../../src/config/settings.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { connectService } from '../../../src/service/connect.ts'
import type { Service, TenantStatus } from '../../../src/service/port.ts'
import { eventually, startNode, type Program } from '../processes.ts'

export interface DemoOptions {
  /** Folder of the databases; a new one below the test's folder when left out. What lies in it is adopted. */
  readonly dir?: string
  readonly tenants?: number
  readonly bytes?: number
  /** Transfers a second, over all loaded tenants. */
  readonly load?: number
  readonly loaded?: readonly string[]
  readonly maxPaused?: number
  /** As `--misbehave` takes it. */
  readonly misbehave?: string
  readonly requestTimeoutMs?: number
}

export interface Demo extends AsyncDisposable {
  readonly program: Program
  readonly pid: number
  /** Where the databases are. */
  readonly dir: string
  /** The test's folder: databases, socket, and room for whatever the test needs. */
  readonly home: string
  readonly socket: string
  readonly settings: ServiceSettings
  readonly service: Service
  readonly tenants: readonly string[]
  fileOf(tenant: string): string
  /** Another client, with a request timeout of its own. */
  connect(requestTimeoutMs: number): Promise<Service>
  status(tenant: string): Promise<TenantStatus>
  /** Waits until the service says that the tenant is active, within `deadlineMs`. */
  servesAgain(tenant: string, deadlineMs?: number): Promise<void>
  /**
   * Stops the service and throws unless every balance adds up and no acknowledged transfer is missing.
   * @returns how many were acknowledged
   */
  stopAndVerify(): Promise<number>
}

/** Starts it in a folder of its own. Disposing ends the process and removes the folder. */
export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  try {
    return await startDemoIn(home, options)
  } catch (error) {
    rmSync(home, { recursive: true, force: true })
    throw error
  }
}

async function startDemoIn(home: string, options: DemoOptions): Promise<Demo> {
  const dir = options.dir ?? join(home, 'data')
  const socket = join(home, 'admin.sock')
  const {
    tenants = 0,
    bytes = 60_000,
    load = 0,
    maxPaused = 4,
    misbehave = '',
    loaded,
    requestTimeoutMs = 5_000,
  } = options
  const program = startNode('scripts/demo/service.ts', [
    '--dir',
    dir,
    '--socket',
    socket,
    '--tenants',
    String(tenants),
    '--size',
    String(bytes),
    '--load',
    String(load),
    '--max-paused',
    String(maxPaused),
    '--misbehave',
    misbehave,
    ...(loaded === undefined ? [] : ['--loaded', loaded.join(',')]),
  ])
  await program.ready
  const settings = {
    kind: 'admin-api',
    name: 'notes',
    endpoint: { kind: 'unix', socket },
    tokenFile: null,
    caFile: null,
    requestTimeoutMs,
  } as const satisfies ServiceSettings
  const service = await connectService(settings)
  const names = Array.from({ length: tenants }, (_, at) => tenantName(at))
  const status = (tenant: string): Promise<TenantStatus> =>
    service.tenant(tenantId(tenant), AbortSignal.timeout(60_000))
  return {
    program,
    pid: program.pid,
    dir,
    home,
    socket,
    settings,
    service,
    tenants: names,
    status,
    connect: (timeoutMs) => connectService({ ...settings, requestTimeoutMs: timeoutMs }),
    fileOf: (tenant) => join(dir, `${tenant}.db`),
    servesAgain: async (tenant, deadlineMs = 10_000) => {
      await eventually(`${tenant} serves again`, async () => (await status(tenant)).state === 'active', deadlineMs)
    },
    stopAndVerify: async () => {
      await program[Symbol.asyncDispose]()
      const verified = verifyTenants(
        dir,
        names.filter((name) => existsSync(join(dir, `${name}.db`))),
      )
      const broken = verified.filter((tenant) => !isWhole(tenant))
      if (broken.length > 0)
        throw new Error(
          `not whole: ${JSON.stringify(broken.map(({ missing, ...rest }) => ({ ...rest, missing: missing.length })))}`,
        )
      return verified.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await program[Symbol.asyncDispose]()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
