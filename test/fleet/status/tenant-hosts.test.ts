/** Tenants that are meant to be on several hosts, and those that are on more or fewer. */
import { expect, test } from 'vitest'
import type { MeantReplicas } from '../../../src/config/fleet/fleet-settings.ts'
import { reconcileFleet } from '../../../src/fleet/status/reconcile-fleet.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { insertPlaces, registerHosts } from '../../support/fleet/fleet-tables.ts'

eachDatabase((fleet) => {
  const reconcile = async (...meant: readonly MeantReplicas[]) => {
    const { totals, replicas, disagreements, tenants } = await reconcileFleet(fleet.database, meant)
    return { totals, tenants, said: disagreements.map(({ said }) => said), found: replicas.map(({ total }) => total) }
  }

  /** @param hosts the hosts of each tenant */
  async function tenantsOn(hosts: Readonly<Record<string, readonly string[]>>): Promise<void> {
    await registerHosts(fleet.database, ['a', 'b', 'c'])
    const places = Object.entries(hosts).flatMap(([tenant, on]) =>
      on.map((host) => ({ host, tenant, verdict: 'sound', checked: 1, sound: 1 })),
    )
    await insertPlaces(fleet.database, places)
  }

  test('a tenant on as many hosts as said is no disagreement; on more or fewer it is one', async () => {
    await tenantsOn({ acme: ['a'], 'eu-one': ['a', 'b'], 'eu-two': ['b', 'c'] })
    const europe = { tenants: ['eu-*'], hosts: 2 }
    expect((await reconcile()).totals).toEqual({ 'tenant-on-several-hosts': 2 })
    expect(await reconcile(europe)).toEqual({ totals: {}, tenants: 3, said: [], found: [2] })

    await insertPlaces(fleet.database, [{ host: 'c', tenant: 'eu-one', verdict: 'sound', checked: 1, sound: 1 }])
    expect(await reconcile(europe)).toMatchObject({
      totals: { 'tenant-on-several-hosts': 1 },
      said: ['eu-one of notes is on a and b and c; fleet.replicas says 2 hosts'],
      found: [1],
    })
    await fleet.database.query(`update holdfast.place set gone_at = now() where host = 'c'`)
    expect(await reconcile(europe)).toMatchObject({
      totals: { 'replica-missing': 1 },
      said: ['eu-two of notes is only on b; fleet.replicas says 2 hosts'],
      found: [1],
    })
  })

  test('an entry is about the tenants that it names, and the first that matches counts', async () => {
    await tenantsOn({ acme: ['a', 'b'], bolt: ['a', 'b', 'c'], coda: ['a', 'b'], dora: ['a'] })
    expect(await reconcile({ tenants: ['acme', 'b?lt'], hosts: 2 }, { tenants: ['bolt', 'zeta'], hosts: 3 })).toEqual({
      totals: { 'tenant-on-several-hosts': 2 },
      tenants: 4,
      said: ['bolt of notes is on a and b and c; fleet.replicas says 2 hosts', 'coda of notes is on a and b'],
      found: [1, 0],
    })
    expect((await reconcile({ tenants: ['bolt'], hosts: 3 }, { tenants: ['[ac]*'], hosts: 2 })).found).toEqual([1, 2])
  })

  test('more tenants than one page has, and some that are on no host', async () => {
    await registerHosts(fleet.database, ['a', 'b'])
    await fleet.database.query(`
      insert into holdfast.place (host, service, tenant, path, checked_at)
        select host, 'notes', 't' || lpad(n::text, 6, '0'), '/x', now()
        from generate_series(1, 10003) n, unnest(array['a', 'b']) as host;
      update holdfast.place set gone_at = now() where tenant = 't000007';
      update holdfast.place set gone_at = now() where tenant = 't010002' and host = 'b'`)
    expect(await reconcile({ tenants: ['t*'], hosts: 2 })).toEqual({
      totals: { 'tenant-on-no-host': 1, 'replica-missing': 1 },
      tenants: 10_002,
      said: [
        'no host has t000007 of notes any more; it was on a, b',
        't010002 of notes is only on a; fleet.replicas says 2 hosts',
      ],
      found: [10_001],
    })
  })
})
