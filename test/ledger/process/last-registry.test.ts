/** What status reads about the list of tenants: the newest line of a run of this service, reached in this way. */

import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { RecordedRegistry } from '../../../src/ledger/ledger.ts'
import { readLedger } from '../../../src/ledger/open-ledger.ts'
import type { Event } from '../../../src/model/event.ts'
import type { ServiceWay } from '../../../src/model/service-way.ts'
import { scratch } from '../../support/ledger/sample-events.ts'
import { finished, mail, notes, notesByApi, started, write } from '../../support/ledger/services.ts'

const live: Event = { kind: 'registry-read', source: 'live', since: 1000 }
const cached: Event = {
  kind: 'registry-read',
  source: 'cached',
  since: 1000,
  code: 'ADMIN_UNREACHABLE',
  why: 'no answer',
}
const refused: Event = { ...cached, source: 'refused' }

async function read(dir: string, way: ServiceWay): Promise<readonly [RecordedRegistry | null, string | null]> {
  await using reading = await readLedger(dir, way)
  return [await reading.lastRegistry(), reading.notice]
}

test('I5.1: the newest line counts, with its time and run; other services and ways have their own', async () => {
  using folder = scratch()
  await write(folder.path, notes, started, live, finished)
  await write(folder.path, notes, started, cached, finished)
  await write(folder.path, mail, started, refused, finished)
  await write(folder.path, notes, started, finished)
  const { kind: _, ...said } = cached
  expect((await read(folder.path, notes))[0]).toEqual({
    ...said,
    at: expect.any(Number) as number,
    run: expect.stringMatching(/^[0-9A-Z]{26}$/) as string,
  })
  expect((await read(folder.path, mail))[0]?.source).toBe('refused')
  expect((await read(folder.path, notesByApi))[0]).toBeNull()
})

test('a ledger of an older holdfast has none, and is not read through for it', async () => {
  using folder = scratch()
  await write(folder.path, notes, started, cached)
  const database = new Database(join(folder.path, 'ledger.db'))
  database.exec('drop index line_of_registry_read')
  database.close()
  expect(await read(folder.path, notes)).toEqual([null, null])
  // The next run of this version makes the index, and the line is found.
  await write(folder.path, notes, started)
  expect((await read(folder.path, notes))[0]?.source).toBe('cached')
})

test('a long reason is cut, and the line of a newer holdfast is passed over with a notice', async () => {
  using folder = scratch()
  await write(folder.path, notes, started, { ...cached, why: 'x'.repeat(1_000_000) })
  const [found] = await read(folder.path, notes)
  expect(found?.source === 'cached' && found.why.length).toBe(1000)
  await write(folder.path, notes, { ...cached, source: 'guessed' } as unknown as Event)
  expect(await read(folder.path, notes)).toEqual([null, expect.stringMatching(/registry-read.* cannot be read/)])
})
