/**
 * The tenant that monitoring relies on is itself damaged (I1.9): monit sees errors instead of answers, and calls the
 * hook. The status tenant is named first, whatever else is damaged.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createTenantDatabase } from '../../../scripts/demo/notes/tenant-database.ts'
import { damageIndexPages } from '../../../scripts/demo/wounds.ts'
import { whySkipped } from '../../support/host/mounts.ts'
import { whyNoMonit } from '../../support/monit.ts'
import { eventually } from '../../support/processes.ts'
import { superviseService } from '../../support/service/supervised-service.ts'

const ids = ['acme', 'bolt', 'crate', 'healthcheck', 'zebra']

describe.skipIf(whyNoMonit !== null)(`I1.9: monit asks for the status tenant${whySkipped(whyNoMonit)}`, () => {
  test('which is damaged: the triage that its hook begins names it first, in text and alarm', async () => {
    await using service = await superviseService(1, 'healthcheck')
    mkdirSync(service.data, { recursive: true })
    for (const id of ids)
      createTenantDatabase(join(service.data, `${id}.db`), {
        wal: true,
        fts: false,
        bytes: 200_000,
        pageSize: 4_096,
      }).close()
    for (const id of ['acme', 'healthcheck']) damageIndexPages(join(service.data, `${id}.db`), 'notes_title')
    service.start()
    await eventually(
      'the service answers for a sound tenant',
      async () => (await fetchNotes(service.port, 'bolt')) === 200,
    )
    expect(await fetchNotes(service.port, 'healthcheck')).toBe(500)
    service.monit(
      'check host site with address 127.0.0.1',
      `  if failed port ${service.port} protocol http request "/tenants/healthcheck/notes" with timeout 5 seconds`,
      `    then exec "${service.hook}"`,
    )
    const output = await eventually('the triage has ended', () =>
      service.outputs().find((text) => /Exit code \d/.test(text)),
    )
    expect(output.match(/^CULPRIT: \w+/gm)).toEqual(['CULPRIT: healthcheck', 'CULPRIT: acme'])
    expect(output).toMatch(/monit names it|never checked/)
    const [first] = await eventually('the alarm was sent', () =>
      service.alarms().length > 0 ? service.alarms() : null,
    )
    expect(first).toMatchObject({ severity: 'DAMAGED', tenants: [{ tenant: 'healthcheck' }] })
  })
})

const fetchNotes = async (port: number, tenant: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}/tenants/${tenant}/notes`)).status
