/** What the runs of a fleet have checked here: the service's list, compared with a real ledger. */
import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readFleetCoverage } from '../../../src/cli/fleet/fleet-coverage.ts'
import { parseSettings } from '../../../src/config/parse.ts'
import { wayOf } from '../../../src/config/service-way.ts'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { keepRegistryCopy } from '../../../src/runs/begin/registry-copy.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { checked } from '../../support/ledger/sample-events.ts'

const listed = (...ids: readonly string[]) =>
  ids.map((id) => ({ id: tenantId(id), files: [`/srv/notes/${id}.db`], state: 'active' as const }))

test('a file counts once a full check reached it, whatever came of it; a quick check does not count', async () => {
  using folder = temporaryFolder()
  mkdirSync(folder.file('ledger'), { mode: 0o700 })
  const text =
    'service: { name: notes, admin: "unix:/run/notes.sock" }\ntenants: { roots: [/srv/notes] }\n' +
    'ledger: { dir: ledger }\n'
  const inFleet = parseSettings(`${text}fleet: { database: "pglite:fleet", host: h1 }\n`, folder.file('holdfast.yaml'))
  await using ledger = await openLedger(inFleet.ledger.dir, newRunId(), wayOf(inFleet))
  const coverage = () => readFleetCoverage(ledger, inFleet)
  const list = (...ids: readonly string[]) => keepRegistryCopy(inFleet, listed(...ids), Date.now())
  expect(await coverage(), 'no list yet').toBeNull()
  expect(list('acme', 'bolt')).toBeNull()
  expect(await coverage()).toEqual({ files: 2, reached: 0, at: null })

  const began = Date.now()
  await ledger.append(checked('acme'))
  await ledger.append(checked('bolt', { depth: 'quick' }))
  expect(await coverage(), 'a quick check').toEqual({ files: 2, reached: 1, at: null })
  await ledger.append(checked('bolt', { verdict: 'failed' }))
  const all = await coverage()
  expect(all).toMatchObject({ files: 2, reached: 2 })
  expect(all?.at).toBeGreaterThanOrEqual(began)

  await ledger.append(checked('acme', { depth: 'quick' }))
  expect(await coverage(), 'a quick check takes nothing away').toEqual(all)
  list('acme', 'bolt', 'new')
  expect(await coverage(), 'a tenant that is new').toEqual({ files: 3, reached: 2, at: null })
  list('acme')
  expect(await coverage(), 'a tenant that left').toEqual({ ...all, files: 1, reached: 1 })
  expect(await readFleetCoverage(ledger, { ...inFleet, fleet: null }), 'a host of no fleet').toBeNull()
})
