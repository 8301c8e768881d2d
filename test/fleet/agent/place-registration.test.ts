/** Where tenants live: what a service lists is there, and nothing is marked as gone by a list that is not whole. */
import { expect, it } from 'vitest'
import { registerOwnPlaces } from '../../../src/fleet/agent/place-registration.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { RegisteredTenant } from '../../../src/service/port.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { tenantNames } from '../../support/fleet/fleet-tables.ts'

const { signal } = new AbortController()

eachDatabase((fleet) => {
  /** The service lists these tenants, with a file each. */
  const register = (tenants: readonly string[], { unsearched = [] as readonly string[], host = 'a' } = {}) =>
    registerOwnPlaces(
      { database: fleet.database, host, service: 'notes' },
      {
        tenants: () =>
          Promise.resolve(
            tenants.map((id): RegisteredTenant => ({ id: tenantId(id), files: [`/srv/${id}.db`], state: 'active' })),
          ),
        leftOut: { unsearched } as never,
      },
      signal,
    )
  const here = async (host = 'a'): Promise<readonly string[]> => {
    const { rows } = await fleet.database.query<{ tenant: string }>(
      'select tenant from holdfast.place where host = $1 and gone_at is null order by 1',
      [host],
    )
    return rows.map(({ tenant }) => tenant)
  }

  it('what the service does not list any more is gone, and is there again when it is listed again', async () => {
    await register(['acme'], { host: 'b' })
    expect(await register(['acme', 'bolt'])).toBeNull()
    expect(await here()).toEqual(['acme', 'bolt'])
    expect(await register(['bolt'])).toBeNull()
    expect(await here()).toEqual(['bolt'])
    expect(await register(['acme', 'bolt'])).toBeNull()
    expect([await here(), await here('b')]).toEqual([['acme', 'bolt'], ['acme']])
  })

  it('an empty list, and one of places that could not all be searched, mark nothing as gone', async () => {
    await register(['acme', 'bolt'])
    expect(await register([])).toBe('the service lists no file, so no tenant was marked as gone')
    expect(await register(['coda'], { unsearched: ['/mnt'] })).toMatch(/^1 place of the service could not be searched/)
    expect(await here()).toEqual(['acme', 'bolt', 'coda'])
  })

  it('lists of more than a thousand tenants are stored whole', async () => {
    const tenants = tenantNames(1_001)
    await register(tenants)
    expect(await here()).toEqual(tenants)
  })
})
