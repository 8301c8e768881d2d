/** A remedy while the service is away: it waits for one that restarts. */
import type { Server } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RemedyReport } from '../../../src/model/result/remedy.ts'
import { holdfast, resultOf, start } from '../../support/cli/program.ts'
import { integrityOf, makeDamaged, onlyRemedy } from '../../support/cli/remedies.ts'
import { openService } from '../../support/cli/service.ts'
import { eventually } from '../../support/processes.ts'

test('I1.6: a service that was away when the remedy began is waited for, and the file is mended', async () => {
  await using service = await openService({ tenants: (data) => ({ acme: makeDamaged(join(data, 'acme.db')) }) })
  const config = ['--config', service.config]
  expect((await holdfast(['sweep', ...config])).code).toBe(2)
  service.vanish()
  const repairing = resultOf(start(['repair', '--tenant', 'acme', '--apply', '--json', ...config]))
  await eventually('the first attempt has met no service', async () =>
    (await holdfast(['history', 'acme', '--json', ...config])).stdout.includes('ADMIN_UNREACHABLE'),
  )
  const again: Server = await service.gate.listen(service.socket)
  const { code, stdout, stderr } = await repairing
  again.close()
  again.closeAllConnections()
  expect(code, stdout + stderr).toBe(0)
  expect(stderr).toContain('acme: the service does not answer, or restarts: waiting for it, at most 20.0 s')
  expect(onlyRemedy(JSON.parse(stdout) as RemedyReport).applied).toMatchObject({ verdict: 'sound', healthy: true })
  expect(integrityOf(join(service.data, 'acme.db'))).toBe('ok')
})
