/**
 * Incident I1 replayed: a service with forty busy tenants crashes again and again because of one damaged index. Real
 * monit restarts it, and calls the hook that finds the culprit.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tenantName } from '../../../scripts/demo/names.ts'
import { createTenantDatabase, transfer } from '../../../scripts/demo/notes/tenant-database.ts'
import { isWhole, verifyTenants } from '../../../scripts/demo/verify.ts'
import { damageIndexPages } from '../../../scripts/demo/wounds.ts'
import type { Holdfast } from '../../support/cli/holdfast.ts'
import { whySkipped } from '../../support/host/mounts.ts'
import { whyNoMonit } from '../../support/monit.ts'
import { eventually, isRunning } from '../../support/processes.ts'
import { superviseService } from '../../support/service/supervised-service.ts'

const forty = Array.from({ length: 40 }, (_, at) => tenantName(at))
/** With a rollback journal, as every third one. After each start the load reaches it last, after ten seconds. */
const culprit = tenantName(38)

function makeForty(data: string): void {
  mkdirSync(data, { recursive: true })
  for (const [at, id] of forty.entries()) {
    const database = createTenantDatabase(join(data, `${id}.db`), {
      wal: at % 3 !== 2,
      fts: false,
      bytes: 40_000,
      pageSize: 4_096,
    })
    database.pragma('synchronous = off')
    database.transaction(() => {
      for (let n = 0; n < (id === culprit ? 500 : 5); n++) transfer(database, `made-${n}`, () => {})
    })()
    database.close()
  }
}

/** How many tenants the run had checked when its first check found damage. */
async function checkedBeforeCulprit(holdfast: Holdfast): Promise<number> {
  const { stdout } = await holdfast.run('history', '--json')
  const { entries } = JSON.parse(stdout) as {
    readonly entries: readonly { readonly at: number; readonly run: string; readonly verdict: string }[]
  }
  const found = entries.findLast(({ verdict }) => verdict === 'damaged')
  if (found === undefined) throw new Error('no check found damage')
  return entries.filter(({ at, run }) => run === found.run && at < found.at).length
}

describe.skipIf(whyNoMonit !== null)(`I1.6: a crash loop under monit${whySkipped(whyNoMonit)}`, () => {
  test('the hook names the culprit among the first three, the repair mends it, and the service is well', async () => {
    await using service = await superviseService(4)
    makeForty(service.data)
    damageIndexPages(join(service.data, `${culprit}.db`), 'sqlite_autoindex_transfers_1')
    service.start()
    await service.crashed()
    service.monit()
    const output = await eventually('the triage in the background has named the culprit', () =>
      service.outputs().find((text) => /^CULPRIT: /m.test(text)),
    )
    const [, named, place] = /^CULPRIT: (\S+), number (\d+) of 40/m.exec(output) ?? []
    expect(named).toBe(culprit)
    expect(Number(place)).toBeLessThanOrEqual(3)
    expect(output).toMatch(/suspect a journal with bytes lies beside it/)
    // Others are checked beside it.
    expect(await checkedBeforeCulprit(service.holdfast)).toBeLessThan(10)
    const [alarm] = await eventually('the alarm was sent', () =>
      service.alarms().length > 0 ? service.alarms() : null,
    )
    expect(alarm).toMatchObject({ severity: 'DAMAGED', tenants: [{ tenant: culprit, damage: 'index' }] })
    expect(alarm?.command).toMatch(new RegExp(`^holdfast repair .*--tenant ${culprit}`))
    // The loop goes on meanwhile: monit has asked again, and was refused.
    await eventually('the service was started again', () => service.starts() >= 3)
    const applied = await eventually(
      'the repair was applied between two crashes',
      async () => {
        const before = service.starts()
        await eventually('the service has just been started', () => service.starts() > before)
        const ran = await service.holdfast.run('repair', '--tenant', culprit, '--apply', '--wait', '60s')
        return ran.code === 0 ? ran : null
      },
      240_000,
    )
    expect(applied.stdout).toMatch(/rebuil/i)
    const pid = await eventually('the service runs', () => service.pid())
    const starts = service.starts()
    // Every tenant gets a transfer every ten seconds.
    await new Promise((resolve) => setTimeout(resolve, 15_000))
    expect([service.starts(), isRunning(service.pid() ?? 0)]).toEqual([starts, true])
    expect(pid).not.toBeNull()
    process.kill(service.pid() ?? 0, 'SIGKILL')
    const verified = verifyTenants(service.data, forty)
    expect(verified.filter((one) => !isWhole(one))).toEqual([])
    expect(verified.find(({ tenant }) => tenant === culprit)?.acknowledged).toBeGreaterThan(0)
  })
})
