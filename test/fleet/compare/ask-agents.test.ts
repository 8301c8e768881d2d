/** What a comparison by key writes into the database before an agent answers. */
import { expect, test } from 'vitest'
import { askAgents } from '../../../src/fleet/compare/rows/ask-agents.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { openCoordination } from '../../support/fleet/agent-hosts.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { fleetSettings } from '../../support/fleet/fleet-settings.ts'
import { eventually } from '../../support/processes.ts'

const file = { name: 'acme.db', comparison: 'equal', schema: 'equal', apartMs: 0, tables: [], why: null } as const

eachDatabase((fleet) => {
  test('two at once: neither refuses the other, and both end when a person ends them', async () => {
    await using _jobs = await openCoordination(fleet, ['alpha'])
    const end = new AbortController()
    const reason = new Error('a person has ended it')
    const ask = (): Promise<unknown> =>
      askAgents({
        database: fleet.database,
        fleet: fleetSettings(fleet),
        tenant: tenantId('acme'),
        files: [{ ...file, copies: [{ label: 'alpha', host: 'alpha', path: '/srv/acme.db' }] as never }],
        onNotice: () => undefined,
        signal: end.signal,
      })
    const ended = Promise.allSettled([ask(), ask()])
    const runs = async (): Promise<number> => (await fleet.database.query('select from holdfast.run')).rowCount
    await eventually('both have begun', async () => (await runs()) === 2)
    end.abort(reason)
    for (const one of await ended) expect(one).toEqual({ status: 'rejected', reason })
    expect((await fleet.database.query('select state from holdfast.run')).rows).toEqual([
      { state: 'done' },
      { state: 'done' },
    ])
  })
})
