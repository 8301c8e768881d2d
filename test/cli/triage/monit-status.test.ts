/** Real monit reads `status --format monit`, and calls the hook when it says CRITICAL. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { TriageRequest } from '../../../src/model/event.ts'
import { damageIndex, makeDatabase } from '../../support/cli/folder.ts'
import { holdfast, launcher } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { whySkipped } from '../../support/host/mounts.ts'
import { startMonit, whyNoMonit } from '../../support/monit.ts'
import { eventually } from '../../support/processes.ts'

describe.skipIf(whyNoMonit !== null)(`I4.2: monit reads the status${whySkipped(whyNoMonit)}`, () => {
  test('with long names of tenants it fits into what monit keeps and begins a triage when it is CRITICAL', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'].map((letter) => `${letter}-${'köln|tenant '.repeat(12)}`)
    await using service = await openService({
      tenants: (data) =>
        Object.fromEntries(
          ids.map((id, at) => {
            const path = join(data, `${at}.db`)
            damageIndex(makeDatabase(path, { wal: true }))
            return [id, path]
          }),
        ),
    })
    expect((await holdfast(['sweep', '--config', service.config])).code).toBe(2)
    const command = `${process.execPath} ${launcher}`
    const hook = service.folder.in('hook.sh')
    writeFileSync(hook, `#!/bin/sh\n${command} triage --from-monit --config ${service.config}\n`, { mode: 0o700 })
    await using monit = startMonit(service.folder.in('monit'), [
      `check program holdfast with path "${command} status --format monit --max-age 26h --config ${service.config}"`,
      '  timeout 20 seconds',
      `  if status = 2 then exec "${hook}"`,
    ])
    const requests = join(service.ledger, 'triage')
    const name = await eventually('monit has called the hook', () =>
      readdirSync(requests).find((one) => one.endsWith('.request')),
    )
    const text = readFileSync(join(requests, name), 'utf8')
    const { by, monit: said } = JSON.parse(text.slice(text.indexOf('\n'))) as TriageRequest
    expect(by).toBe('monit')
    expect(said?.service).toBe('holdfast')
    // The whole line has arrived, with its performance data: monit cuts at 512 bytes.
    expect(said?.description).toMatch(/HOLDFAST CRITICAL - DAMAGED 5: .* \| tenants=5 .*last_sweep=\d+s/)
    expect(monit.log()).toMatch(/'holdfast' .*status/)
    await eventually('the triage has ended', () =>
      /Exit code 2/.test(readFileSync(join(requests, name.replace('request', 'out')), 'utf8')),
    )
  })
})
