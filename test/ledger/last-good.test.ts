/** What the ledger keeps of the last sound check of each file. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { openLedger, readLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { TenantId } from '../../src/model/brand.ts'
import type { LastGood } from '../../src/model/result/last-good.ts'
import { holdAsked, checked, fileIn, scratch } from '../support/ledger/sample-events.ts'

const acme = tenantId('acme')
const day = 86_400_000

function lastGood(
  tenant: TenantId | null,
  path: string,
  change: Partial<LastGood> = {},
  provenAt = 1_795_000_000_000,
): Omit<LastGood, 'run'> {
  return {
    tenant,
    path,
    schema: null,
    basis: null,
    paces: [],
    header: { walMode: false, changeCounter: 42, versionValidFor: 42, pageCount: 256, schemaCookie: 3 },
    standing: {
      provenAt,
      bootId: 'boot',
      files: [{ part: '', dev: '64768', ino: '131074', size: 1_048_576, mtimeNs: '1794999990123456789' }],
    },
    content: {
      format: '1-00ff',
      tables: [
        { name: 'notes', rows: 1000, digest: '0123456789abcdef' },
        { name: 'odd', rows: 1, digest: null },
      ],
    },
    pages: {
      format: 1,
      pageSize: 4096,
      pages: 256,
      groupPages: 1,
      groups: Uint32Array.from({ length: 256 }, (_, i) => (i * 2_654_435_761) >>> 0),
    },
    ...change,
  }
}

const readLastGood = async (ledger: Ledger, tenant: TenantId | null, path: string): Promise<LastGood | null> =>
  (await ledger.lastGood([{ tenant, path }]))[0] ?? null

test('it is there for the next run as it was put, of tenants and of bare files apart', async () => {
  using folder = scratch()
  const run = newRunId()
  {
    await using ledger = await openLedger(folder.path, run)
    await Promise.all([ledger.append(checked('acme')), ledger.storeLastGood(lastGood(acme, '/srv/a.db'))])
    await ledger.storeLastGood(
      lastGood(null, '/srv/a.db', {
        pages: { format: 1, pageSize: 512, pages: 1, groupPages: 1, groups: Uint32Array.of(4_294_967_295) },
      }),
    )
    expect(await readLastGood(ledger, acme, '/srv/b.db')).toBeNull()
  }
  await using ledger = await openLedger(folder.path, newRunId())
  expect(await readLastGood(ledger, acme, '/srv/a.db')).toEqual({ ...lastGood(acme, '/srv/a.db'), run })
  expect((await readLastGood(ledger, null, '/srv/a.db'))?.pages.groups).toEqual(Uint32Array.of(4_294_967_295))
  expect(await readLastGood(ledger, tenantId('null'), '/srv/a.db')).toBeNull()
  const three = await ledger.lastGood([
    { tenant: null, path: '/srv/a.db' },
    { tenant: acme, path: '/srv/b.db' },
    { tenant: acme, path: '/srv/a.db' },
  ])
  expect(three.map((one) => one?.pages.pages)).toEqual([1, undefined, 256])
})

test('night after night it takes the place of the one before: the ledger does not grow by it', async () => {
  using folder = scratch()
  await using ledger = await openLedger(folder.path, newRunId())
  const night = async (at: number): Promise<void> => {
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => ledger.storeLastGood(lastGood(tenantId(`t${i}`), '/srv/a.db', {}, at))),
    )
  }
  const bytes = (): number => {
    const database = new Database(fileIn(folder.path), { readonly: true })
    const pages = Number(database.pragma('page_count', { simple: true }))
    const rows = database.prepare<[], number>('select count(*) from last_good').pluck().get()
    database.close()
    expect(rows).toBe(200)
    return pages * 4096
  }
  await night(1)
  const first = bytes()
  for (let at = 2; at <= 8; at++) await night(at)
  expect(bytes()).toBeLessThan(first * 1.2)
  expect(first / 200).toBeLessThan(4096)
})

test('a file without a check for more than a year is forgotten', async () => {
  using folder = scratch()
  const keepAndOpenAgain = async (nowDays: number): Promise<readonly (number | null)[]> => {
    {
      await using ledger = await openLedger(folder.path, newRunId())
      for (const path of ['/srv/new.db', '/srv/newer.db'])
        await ledger.storeLastGood(lastGood(null, path, {}, nowDays * day))
    }
    await using ledger = await openLedger(folder.path, newRunId())
    return await Promise.all(
      ['/srv/gone.db', '/srv/new.db'].map(
        async (path) => (await readLastGood(ledger, null, path))?.standing.provenAt ?? null,
      ),
    )
  }
  {
    await using ledger = await openLedger(folder.path, newRunId())
    await ledger.storeLastGood(lastGood(null, '/srv/gone.db', {}, 1000 * day))
  }
  expect(await keepAndOpenAgain(1399)).toEqual([1000 * day, 1399 * day])
  expect(await keepAndOpenAgain(1401)).toEqual([null, 1401 * day])
})

test('a clock that was years ahead for one check makes nothing else look old', async () => {
  using folder = scratch()
  const paths = ['/srv/a.db', '/srv/b.db', '/srv/c.db', '/srv/d.db']
  {
    await using ledger = await openLedger(folder.path, newRunId())
    for (const path of paths) await ledger.storeLastGood(lastGood(null, path, {}, 1000 * day))
    await ledger.storeLastGood(lastGood(null, '/srv/a.db', {}, 9000 * day))
  }
  await using ledger = await openLedger(folder.path, newRunId())
  expect(await Promise.all(paths.map(async (path) => (await readLastGood(ledger, null, path)) !== null))).toEqual([
    true,
    true,
    true,
    true,
  ])
})

test('a ledger of an earlier holdfast loses nothing, and readers do not wait for the new table', async () => {
  using folder = scratch()
  {
    await using ledger = await openLedger(folder.path, newRunId())
    for (const event of [holdAsked('open one'), checked('acme')]) await ledger.append(event)
  }
  // That is all by which the two differ.
  const database = new Database(fileIn(folder.path))
  database.exec('drop table last_good')
  expect(
    database
      .prepare("select count(*) from sqlite_schema where name like 'last_good%' or tbl_name = 'last_good'")
      .pluck()
      .get(),
  ).toBe(0)
  database.close()
  {
    await using reading = await readLedger(folder.path)
    expect([(await reading.lastResults()).length, reading.notice]).toEqual([1, null])
  }
  await using ledger = await openLedger(folder.path, newRunId())
  expect(await readLastGood(ledger, acme, '/srv/a.db')).toBeNull()
  await ledger.storeLastGood(lastGood(acme, '/srv/a.db'))
  expect(await readLastGood(ledger, acme, '/srv/a.db')).toMatchObject({ path: '/srv/a.db' })
  expect([(await ledger.openHolds()).length, (await ledger.lastResults()).length, ledger.notice]).toEqual([1, 1, null])
})

test.each<[string, string]>([
  ['facts that nobody wrote', "update last_good set facts = '{}'"],
  ['facts that are no JSON', "update last_good set facts = 'garbled'"],
  ['digests that were cut', 'update last_good set digests = substr(digests, 1, 7)'],
])('%s are passed over with a notice, and written anew', async (_, garble) => {
  using folder = scratch()
  {
    await using ledger = await openLedger(folder.path, newRunId())
    await ledger.storeLastGood(lastGood(acme, '/srv/a.db'))
  }
  const database = new Database(fileIn(folder.path))
  database.exec(garble)
  database.close()
  await using ledger = await openLedger(folder.path, newRunId())
  expect(await readLastGood(ledger, acme, '/srv/a.db')).toBeNull()
  expect(ledger.notice).toMatch(/last sound check of "\/srv\/a.db" cannot be read/)
  await ledger.storeLastGood(lastGood(acme, '/srv/a.db'))
  expect(await readLastGood(ledger, acme, '/srv/a.db')).toMatchObject({ tenant: 'acme' })
})

test('after kill -9 of a run at any moment it is the one before or the one after, whole', async () => {
  using folder = scratch()
  for (const round of [1, 2, 3]) {
    const writer = spawn(
      process.execPath,
      [join(import.meta.dirname, '../support/programs/last-good-writer.ts'), folder.path],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let said = 0
    const enough = new Promise<void>((resolve) => {
      writer.stdout.on('data', (bytes: Uint8Array) => {
        if ((said += bytes.length) > 40 * round) resolve()
      })
    })
    const ended = once(writer, 'close')
    await enough
    writer.kill('SIGKILL')
    await ended
    await using ledger = await openLedger(folder.path, newRunId())
    const kept = await readLastGood(ledger, acme, '/srv/a.db')
    const count = kept?.header.changeCounter ?? -1
    expect([ledger.notice, count > 0]).toEqual([null, true])
    expect([
      kept?.pages.groups.length,
      kept?.pages.groups.every((digest) => digest === count),
      kept?.standing.provenAt,
    ]).toEqual([4096, true, count])
  }
  expect(statSync(fileIn(folder.path)).size).toBeLessThan(500_000)
})
