/** The warm copy under heavy writes is exact, and the service is not disturbed (hold/README.md F6, F7). */
import { statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HoldResult, TenantConnection } from '../../../src/hold/hold.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { connectService } from '../../../src/service/connect.ts'
import { appendDeadTransaction } from '../../support/databases/dead-transaction.ts'
import { digestOfRows } from '../../support/databases/rows.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { deviationOf, startHeavy, type BusyService } from '../../support/service/busy-service.ts'

describe('a warm copy', () => {
  let fixture: HoldFixture
  beforeAll(async () => {
    fixture = await openHoldFixture()
  })
  afterAll(() => fixture[Symbol.asyncDispose]())

  const holdHeavy = (heavy: BusyService): Promise<HoldResult> =>
    fixture.hold(
      heavy.file,
      {
        tenant: tenantId('heavy'),
        service: heavy.service,
        ledger: fixture.ledger,
        socket: heavy.socket,
        permit: null,
        onRetry: () => undefined,
      },
      { settings: { warmAboveBytes: 0 } },
    )

  it.each(['keeps', 'reopens'] as const)(
    'is exactly what the service held when it stood still, two dozen ' +
      'times, while the service writes hard and %s its handle',
    async (manner) => {
      await using heavy = await startHeavy(manner)
      const methods: string[] = []
      for (let time = 0; time < 24; time++) {
        const held = await holdHeavy(heavy)
        if (held.kind !== 'snapshot') throw held.failure
        await using snapshot = held.snapshot
        expect(deviationOf(snapshot.path, heavy.quiesced()), `hold ${time}`).toBeNull()
        methods.push(held.record.evidence.snapshot?.method ?? '')
      }
      // A service that closes after each request often has no connection: then there is nothing to pin, and no writer
      // that would wait for us.
      if (manner === 'keeps') expect(new Set(methods)).toEqual(new Set(['warm+tail']))
      const { complaints, failures, transactions, slowest } = await heavy.end()
      expect({ complaints, failures }).toEqual({ complaints: '', failures: 0 })
      expect(transactions).toBeGreaterThan(100)
      // Without the dead man's switch an opening service waited ten seconds, for all its tenants.
      expect(slowest).toBeLessThan(5_000)
    },
  )

  it('leaves the holes of the database out', async () => {
    using folder = temporaryFolder()
    const file = folder.file('sparse.db')
    new Database(file).exec('create table t (id integer primary key, body text)').close()
    truncateSync(file, 200 << 20)
    using database = closeable(new Database(file))
    database.it.pragma('journal_mode = wal')
    database.it.exec("insert into t values (1, 'first')")
    const held = await fixture.hold(file, await keptOpen(folder.path), {
      settings: { warmAboveBytes: 0, require: 'writer-locked' },
    })
    if (held.kind !== 'snapshot') throw held.failure
    await using snapshot = held.snapshot
    expect(held.record.evidence.snapshot).toMatchObject({
      method: 'warm+tail',
      files: [{ part: '', bytes: 200 << 20 }, { part: '-wal' }],
    })
    expect(statSync(snapshot.path).blocks * 512).toBeLessThan(1 << 20)
    using copy = closeable(new Database(snapshot.path))
    expect(digestOfRows(copy.it)).toBe(digestOfRows(database.it))
  })

  it('leaves out a transaction that its writer died over, and takes the one that overwrote it', async () => {
    using folder = temporaryFolder()
    const file = folder.file('killed-writer.db')
    using database = closeable(new Database(file))
    database.it.pragma('journal_mode = wal')
    database.it.exec("create table t (id integer primary key, body text); insert into t values (1, 'first')")
    appendDeadTransaction(`${file}-wal`)

    const held = await fixture.hold(file, await keptOpen(folder.path), {
      settings: { warmAboveBytes: 0, require: 'writer-locked' },
      onStep: (step) => {
        if (step === 'warm') database.it.exec("insert into t values (2, 'written after the warm copy')")
      },
    })

    if (held.kind !== 'snapshot') throw held.failure
    await using snapshot = held.snapshot
    expect(held.record.evidence.snapshot?.method).toBe('warm+tail')
    using copy = closeable(new Database(snapshot.path))
    expect(copy.it.prepare('select id from t').pluck().all()).toEqual([1, 2])
    expect(digestOfRows(copy.it)).toBe(digestOfRows(database.it))
  })

  it('takes no pin on a WAL that was written anew from its beginning since', async () => {
    using folder = temporaryFolder()
    const file = folder.file('restarted.db')
    using database = closeable(new Database(file))
    database.it.pragma('journal_mode = wal')
    database.it.exec("create table t (id integer primary key, body text); insert into t values (1, 'first')")
    // From here on the wal-index speaks of another WAL than the one in the file.
    database.it.pragma('wal_checkpoint(restart)')

    const held = await fixture.hold(file, await keptOpen(folder.path), {
      settings: { warmAboveBytes: 0, require: 'writer-locked' },
      onStep: (step) => {
        if (step === 'warm') database.it.exec("insert into t values (2, 'first frame of the new WAL')")
      },
    })

    if (held.kind !== 'snapshot') throw held.failure
    await using snapshot = held.snapshot
    expect(held.record.evidence.attempts).toBe(1)
    using copy = closeable(new Database(snapshot.path))
    expect(digestOfRows(copy.it)).toBe(digestOfRows(database.it))
  })

  /** A service by hooks that keeps its handle: the test is its writer. */
  async function keptOpen(dir: string): Promise<TenantConnection> {
    const list = ['/bin/echo', JSON.stringify([{ id: 'kept', files: [join(dir, 'none')] }])] as const
    const service = await connectService({
      kind: 'hooks',
      name: 'kept',
      tenants: list,
      quiesce: ['/bin/true', '{tenant}'],
      resume: ['/bin/true', '{tenant}'],
      timeoutMs: 5_000,
    })
    return {
      tenant: tenantId('kept'),
      service,
      ledger: fixture.ledger,
      socket: null,
      permit: null,
      onRetry: () => undefined,
    }
  }
})

function closeable<Closeable extends { close(): unknown }>(it: Closeable): Disposable & { readonly it: Closeable } {
  return { it, [Symbol.dispose]: () => void it.close() }
}
