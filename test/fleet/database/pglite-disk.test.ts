/** PGlite on a disk that fills: it refuses writes while it still can, reads, and writes again when there is room. */
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openFleetDatabase, ownFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { makePgliteFolder } from '../../support/fleet/templates.ts'
import { mount, whyNoMount, whySkipped } from '../../support/host/mounts.ts'
import { eventually } from '../../support/processes.ts'

const why = whyNoMount('tmpfs')
const full = { code: 'FLEET_FULL', retry: true }

it.skipIf(why !== null)(`a disk that is nearly full, and has room again${whySkipped(why)}`, async () => {
  using disk = mount('tmpfs', 240_000_000)
  const dir = join(disk.path, 'fleet')
  const access = { database: { kind: 'pglite', dir }, passwordFile: null, caFile: null } as const
  await makePgliteFolder(dir)
  await using owner = await ownFleetDatabase(access)
  await using client = await openFleetDatabase(access)
  await owner.query('create table t(a int)')
  const filler = join(disk.path, 'filler')
  writeFileSync(filler, Buffer.alloc(90_000_000))
  for (const database of [owner, client]) {
    const failed = await database.query('insert into t values ($1)', [1]).catch((error: unknown) => error)
    expect(failed).toMatchObject(full)
    expect(failed).toMatchObject({ message: expect.stringMatching(/ MB are free in .*, and it keeps 128 MB free$/) })
    await expect(database.query('begin; insert into t values (1); commit')).rejects.toMatchObject(full)
    expect((await database.query('select * from t')).rows).toEqual([])
    await expect(database.query('select * from absent')).rejects.toMatchObject({ code: 'FLEET_NOT_PREPARED' })
  }
  rmSync(filler)
  await client.query('insert into t values ($1)', [2])
  expect((await owner.query('select * from t')).rows).toEqual([{ a: 2 }])
})

it.skipIf(why !== null)(`no database is made where it would not have that room${whySkipped(why)}`, async () => {
  using disk = mount('tmpfs', 150_000_000)
  const database = { kind: 'pglite', dir: join(disk.path, 'fleet') } as const
  await expect(ownFleetDatabase({ database, passwordFile: null, caFile: null })).rejects.toMatchObject(full)
})

it.skipIf(why !== null)(
  `a log that cannot be written: afterwards it works again, with all that was answered${whySkipped(why)}`,
  async () => {
    using disk = mount('tmpfs', 400_000_000)
    const dir = join(disk.path, 'fleet')
    const access = { database: { kind: 'pglite', dir }, passwordFile: null, caFile: null } as const
    await makePgliteFolder(dir)
    const filler = join(disk.path, 'filler')
    {
      await using owner = await ownFleetDatabase(access)
      await using client = await openFleetDatabase(access)
      await owner.query('create table t(a int); insert into t values (1)')
      const { bavail, bsize } = statfsSync(disk.path)
      writeFileSync(filler, Buffer.alloc(bavail * bsize - 140_000_000))
      const large = "select pg_logical_emit_message(true, 'x', repeat('x', 8000000)) from generate_series(1, 30)"
      await expect(owner.query(large)).rejects.toMatchObject(full)
      await expect(client.query('select * from t')).rejects.toMatchObject(full)
      rmSync(filler)
      const seen = await eventually('it answers again', () => client.query('select * from t').catch(() => null))
      expect(seen.rows).toEqual([{ a: 1 }])
      await client.query('insert into t values ($1)', [2])
    }
    await using owner = await ownFleetDatabase(access)
    expect((await owner.query('select * from t order by a')).rows).toEqual([{ a: 1 }, { a: 2 }])
  },
)
