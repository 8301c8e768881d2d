/** I1.8: a chunk finds damage in a tenant that the same incident found sound. The fleet and its host say so. */

import { closeSync, openSync, writeSync } from 'node:fs'
import { expect, test } from 'vitest'
import { closeBreakers } from '../../../src/fleet/pause/breaker.ts'
import { sendChunk, startAgentAtWork } from '../../support/fleet/agent-at-work.ts'
import { eachDatabase } from '../../support/fleet/each-database.ts'
import { eventually } from '../../support/processes.ts'

/** Writes zeroes over the second page, as a rogue program would. */
function corrupt(path: string): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(4096), 0, 4096, 4096)
  closeSync(file)
}

eachDatabase((fleet) => {
  test('the status of the fleet and of the host say that harm is suspected, while it stands', async () => {
    await using work = await startAgentAtWork(fleet, { tenants: 3 })
    const { host, agent } = work
    const [tenant = ''] = host.demo.tenants
    const lineOf = async (...words: readonly string[]) =>
      (await host.holdfast.run(...words, '--format', 'nagios')).stdout
    const metrics = async () => (await host.holdfast.run('fleet', 'status', '--format', 'prometheus')).stdout
    expect((await host.holdfast.run('triage')).code).toBe(0) // An incident, in which all tenants are sound.
    expect(await metrics()).toContain('\nholdfast_fleet_harm_suspected 0\n')

    corrupt(host.demo.fileOf(tenant))
    await sendChunk(work, [tenant])
    await eventually(
      'the result is stored',
      async () =>
        (await fleet.database.query("select from holdfast.result where failure = 'HARM_SUSPECTED'")).rowCount > 0,
      120_000,
    )
    expect(await lineOf('fleet', 'status')).toMatch(
      new RegExp(
        `^HOLDFAST CRITICAL - HARM SUSPECTED 1: ${tenant} on alpha; HARM SUSPECTED pauses in the fleet are stopped: `,
      ),
    )
    expect(await metrics()).toContain('\nholdfast_fleet_harm_suspected 1\n')
    agent.kill('SIGTERM')
    await agent.ended
    expect(await lineOf('status')).toContain(`HARM SUSPECTED 1: ${tenant}`)

    // The next check finds the same damage without its cause: that clears nothing on the host.
    expect((await host.holdfast.run('check', '--tenant', tenant)).code).toBe(2)
    expect(await lineOf('status')).toMatch(/^HOLDFAST CRITICAL - HARM SUSPECTED [^;]*by run \w+ \(HARM_SUSPECTED\)/)
    // A person ends it in the fleet: then the newest check of a file counts alone.
    await closeBreakers(fleet.database, null, 'ada')
    expect(await metrics()).toContain('\nholdfast_fleet_harm_suspected 1\n')
    await fleet.database.query(`
      insert into holdfast.result (week, run, host, service, tenant, path, attempt, verdict, damage, checked_at)
      select week, run, host, service, tenant, path, attempt + 1, verdict, damage, checked_at + interval '1 second'
      from holdfast.result where failure = 'HARM_SUSPECTED';
      update holdfast.place set checked_at = checked_at + interval '1 second', attempt = attempt + 1
      where tenant = '${tenant}'`)
    expect(await metrics()).toContain('\nholdfast_fleet_harm_suspected 0\n')
  }, 300_000)
})
