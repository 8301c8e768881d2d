/** A coordinator whose wall clock is stepped by hours while it works: the run ends, and nobody is told of it. */
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { beginSweep, runState } from '../../support/fleet/begun-runs.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { registerHosts, insertPlaces, tenantNames } from '../../support/fleet/fleet-tables.ts'
import { startStandIn } from '../../support/fleet/stand-in-agent.ts'
import { eventually, startNode } from '../../support/processes.ts'
import type { DyingOptions } from '../../support/programs/fleet/dying-coordinator.ts'

const faketime = globSync('/usr/lib/*/faketime/libfaketime.so.1')[0] ?? ''
eachDatabase((fleet) => {
  it.skipIf(!existsSync(faketime))('its clock is stepped by hours, without libfaketime skipped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clock-'))
    using _folder = { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
    const clock = join(folder, 'clock')
    writeFileSync(clock, '+3600s')
    await registerHosts(fleet.database, ['a'])
    await insertPlaces(
      fleet.database,
      tenantNames(60).map((tenant) => ({ host: 'a', tenant })),
    )
    const options: DyingOptions = { address: fleet.address, step: null, inTheMiddle: false, faster: 1 }
    await using coordinator = startNode('test/support/programs/fleet/dying-coordinator.ts', [JSON.stringify(options)], {
      LD_PRELOAD: faketime,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    })
    // Each chunk meets another clock.
    const steps = ['-7200s', '+10800s']
    const before = (): void => writeFileSync(clock, steps.shift() ?? '+0s')
    await using agent = await startStandIn(fleet, { host: 'a', before })
    const run = await beginSweep(fleet.database)
    const state = async () => (await runState(fleet.database, run)).state
    await eventually('the run ends', async () => ['done', 'stopped'].includes(await state()))
    expect(await state()).toBe('done')
    expect(agent.given).toHaveLength(2)
    expect((await fleet.database.query('select from holdfast.told')).rowCount).toBe(0)
    expect(coordinator.stdout()).toContain('"notice"')
  })
})
