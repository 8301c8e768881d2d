/** The doctor's steps on a service that pause no tenant. */

import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Settings } from '../../config/settings.ts'
import { tenantId } from '../../model/brand.ts'
import { refusedTargets, whyNotAddressable } from '../../runs/begin/refused-targets.ts'
import { targetsOf } from '../../runs/begin/registry.ts'
import { isOpenToAll } from '../../service/client/socket-access.ts'
import type { Wire } from '../../service/client/wire.ts'
import { connectWire } from '../../service/connect.ts'
import type { RegisteredTenant, Service } from '../../service/port.ts'
import { quoteText } from '../../service/quote-text.ts'
import { count } from '../../text/count.ts'
import { broken, fit, skipped, step, warning, type StepOutcome, type DoctorStep } from '../steps.ts'
import { wrongForm, wrongRefusal } from './judge-answer.ts'
import { tenantPath } from './tenant-calls.ts'

/** If the service cannot be reached, the other steps are reported as not tried. */
export async function tryWithoutPause(
  service: Service,
  settings: Settings,
  signal: AbortSignal,
): Promise<readonly DoctorStep[]> {
  const capabilities = await step('service: capabilities', () => askCapabilities(service, signal))
  const looks: [about: string, look: () => Promise<StepOutcome>][] = [
    ['service: tenants', () => askTenants(service, settings, signal)],
    ['service: open leases', () => askLeases(service, signal)],
  ]
  const { service: reached } = settings
  if (reached.kind === 'files') return [await step('service: files', () => findTenants(service, settings, signal))]
  if (reached.kind === 'hooks') return [capabilities, ...(await inTurn(looks))]
  await using wire = await connectWire(reached, 'configured')
  await using withoutToken = await connectWire(reached, 'none')
  const firstTenant = async (): Promise<RegisteredTenant | undefined> => (await service.tenants(signal))[0]
  looks.push(
    ['service: unknown tenant', () => askUnknown(wire, signal)],
    ['service: problem documents', () => askForm(wire, signal)],
    ['service: unknown parameters', async () => askParameters(wire, await firstTenant(), signal)],
    reached.tokenFile === null
      ? ['service: who may ask', () => askSocket(reached)]
      : ['service: token', () => askWithoutToken(withoutToken, signal)],
  )
  if (capabilities.outcome === 'unfit' && capabilities.said.startsWith('ADMIN_UNREACHABLE')) {
    return [capabilities, ...looks.map(([about]) => skipped(about, 'the service was not reached'))]
  }
  return [capabilities, ...(await inTurn(looks))]
}

async function inTurn(
  looks: readonly (readonly [about: string, look: () => Promise<StepOutcome>])[],
): Promise<readonly DoctorStep[]> {
  const steps: DoctorStep[] = []
  for (const [about, look] of looks) steps.push(await step(about, look))
  return steps
}

async function askCapabilities(service: Service, signal: AbortSignal): Promise<StepOutcome> {
  if (service.via === 'hooks')
    return warning(
      'hooks: no pause ends by itself, and the service does not confirm that a pause lasted',
      'embed the gate (`holdfast/gate`) when you can',
    )
  const { service: name, version, sqliteVersion, modes } = await service.capabilities(signal)
  return modes.includes('quiesce')
    ? fit(`${name} ${version}, SQLite ${sqliteVersion ?? 'unknown'}`)
    : broken('its modes do not include "quiesce"')
}

/** @returns fit only if every folder that the patterns name could be searched */
async function findTenants(service: Service, settings: Settings, signal: AbortSignal): Promise<StepOutcome> {
  const outcome = await askTenants(service, settings, signal)
  const { unsearched, links } = service.leftOut
  const [first] = unsearched
  if (first !== undefined)
    return warning(
      `${count(unsearched.length, 'place')} could not be searched: ${first.failure.message}`,
      first.failure.hint,
    )
  if (links.length > 0 && outcome.outcome === 'fit')
    return warning(`${outcome.said}; not followed: the symbolic link ${links[0] ?? ''}`, 'name what it leads to')
  return outcome
}

async function askTenants(service: Service, settings: Settings, signal: AbortSignal): Promise<StepOutcome> {
  const tenants = await service.tenants(signal)
  if (tenants.length === 0)
    return service.via === 'files'
      ? warning('service.files finds no file', 'correct the patterns')
      : warning('lists no tenant', 'is this the right service?')
  const wrong =
    wrongFileOf(tenants) ?? (await wrongTenantOf(tenants, { via: service.via, roots: settings.tenants.roots }, signal))
  if (wrong !== null) return broken(wrong)
  const { statusTenant } = settings.tenants
  if (statusTenant !== null && !tenants.some(({ id }) => id === statusTenant))
    return warning(
      `lists ${count(tenants.length, 'tenant')}, but not the status tenant ${statusTenant}`,
      'correct tenants.statusTenant',
    )
  return fit(
    `lists ${count(tenants.length, 'tenant')}, ${count(
      tenants.reduce((sum, { files }) => sum + files.length, 0),
      'file',
    )}`,
  )
}

/** Each id must be addressable, and each file belong to one tenant. @returns what is wrong; null if nothing is */
async function wrongTenantOf(
  tenants: readonly RegisteredTenant[],
  terms: Parameters<typeof refusedTargets>[2],
  signal: AbortSignal,
): Promise<string | null> {
  const [refused] = (await refusedTargets(targetsOf(tenants), tenants, terms, signal)).values()
  return (
    refused?.message ??
    tenants.map(({ id }) => whyNotAddressable(id, terms.via)).find((why) => why !== null)?.message ??
    null
  )
}

/** Files must be main database files, with absolute paths. @returns what is wrong; null if nothing is */
function wrongFileOf(tenants: readonly RegisteredTenant[]): string | null {
  for (const { id, files } of tenants) {
    for (const path of files) {
      if (!path.startsWith('/')) return `tenant ${JSON.stringify(id)}: ${JSON.stringify(path)} is no absolute path`
      const [, main] = /^(.+)-(?:wal|shm|journal)$/s.exec(path) ?? []
      if (main !== undefined && (files.includes(main) || existsSync(main)))
        return `tenant ${JSON.stringify(id)}: ${path} goes with ${main}, and is no main database file`
    }
  }
  return null
}

const leasesNamedMax = 10

async function askLeases(service: Service, signal: AbortSignal): Promise<StepOutcome> {
  const leases = await service.leases(signal)
  return leases.length === 0
    ? fit('none')
    : warning(
        `${leases.length} stand: ${leases
          .slice(0, leasesNamedMax)
          .map(({ tenant, holder }) => `${tenant} by ${quoteText(holder)}`)
          .join(', ')}${leases.length > leasesNamedMax ? ', …' : ''}`,
        'holdfast resume --all',
      )
}

const unknownId = (): string => `no such/tenant %2F ${randomUUID()}`

/** An id may hold any character. */
async function askUnknown(wire: Wire, signal: AbortSignal): Promise<StepOutcome> {
  const wrong = wrongRefusal(
    await wire.ask({ method: 'GET', path: tenantPath(tenantId(unknownId())) }, signal),
    404,
    'tenant-unknown',
  )
  return wrong === null ? fit('refused, as it must be') : broken(wrong)
}

async function askForm(wire: Wire, signal: AbortSignal): Promise<StepOutcome> {
  const said = await wire.ask({ method: 'GET', path: tenantPath(unknownId()) }, signal)
  if (said.status < 400) return broken('it knows a tenant that does not exist')
  const wrong = wrongForm(said)
  return wrong === null ? fit('with type, title and status') : broken(wrong)
}

async function askParameters(
  wire: Wire,
  tenant: RegisteredTenant | undefined,
  signal: AbortSignal,
): Promise<StepOutcome> {
  for (const path of ['/capabilities', '/tenants', '/quiesce', ...(tenant ? [tenantPath(tenant.id)] : [])]) {
    const wrong = wrongRefusal(
      await wire.ask({ method: 'GET', path: `${path}?no-such-parameter=1` }, signal),
      400,
      'unknown-field',
    )
    if (wrong !== null) return broken(`GET ${path}?no-such-parameter=1: ${wrong}`)
  }
  return fit('refused')
}

async function askSocket(reached: Parameters<typeof isOpenToAll>[0]): Promise<StepOutcome> {
  if (await isOpenToAll(reached))
    return broken('every user of this machine may connect to its socket, and no token is asked for')
  return fit('the owner and the group of its socket')
}

/** Reads and quiesces without the token. No tenant has the id, so none could be paused. */
async function askWithoutToken(withoutToken: Wire, signal: AbortSignal): Promise<StepOutcome> {
  const quiesce = {
    method: 'POST',
    path: `${tenantPath(unknownId())}/quiesce`,
    headers: { 'idempotency-key': randomUUID() },
    body: {},
  } as const
  for (const call of [
    { method: 'GET', path: '/capabilities' },
    { method: 'GET', path: '/tenants' },
    quiesce,
  ] as const) {
    for (const headers of [{}, { authorization: 'Bearer not-the-token' }]) {
      const said = await withoutToken.ask(
        { ...call, headers: { ...('headers' in call ? call.headers : {}), ...headers } },
        signal,
      )
      const wrong = wrongRefusal(said, 401, 'auth')
      if (wrong !== null) return broken(`${call.method} ${call.path.split('?')[0]} without the token: ${wrong}`)
      if (said.challenge === null) return broken('a 401 has no WWW-Authenticate')
    }
  }
  return fit('no request is answered without it')
}
