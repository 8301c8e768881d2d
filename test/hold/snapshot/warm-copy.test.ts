/** The warm copy under heavy writes is exact, and the service is not disturbed (hold/README.md F6, F7). */
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Held, TenantConnection } from '../../../src/hold/hold.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { connectService } from '../../../src/service/connect.ts'
import { frameBytesOf, frameChecksum, readWalHeader, WalScan } from '../../../src/sqlite/wal/wal.ts'
import { digestOfRows } from '../../support/databases/rows.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { deviationOf, startHeavy, type Heavy } from '../../support/service/busy-service.ts'

describe('a warm copy', () => {
  let fixture: HoldFixture
  beforeAll(async () => {
    fixture = await openHoldFixture()
  })
  afterAll(() => fixture[Symbol.asyncDispose]())

  const holdHeavy = (heavy: Heavy): Promise<Held> =>
    fixture.hold(
      heavy.file,
      {
        tenant: tenantId('heavy'),
        service: heavy.service,
        ledger: fixture.ledger,
        socket: heavy.socket,
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
    using database = closing(new Database(file))
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
    using copy = closing(new Database(snapshot.path))
    expect(digestOfRows(copy.it)).toBe(digestOfRows(database.it))
  })

  it('leaves out a transaction that its writer died over, and takes the one that overwrote it', async () => {
    using folder = temporaryFolder()
    const file = folder.file('killed-writer.db')
    using database = closing(new Database(file))
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
    using copy = closing(new Database(snapshot.path))
    expect(copy.it.prepare('select id from t').pluck().all()).toEqual([1, 2])
    expect(digestOfRows(copy.it)).toBe(digestOfRows(database.it))
  })

  it('takes no pin on a WAL that was written anew from its beginning since', async () => {
    using folder = temporaryFolder()
    const file = folder.file('restarted.db')
    using database = closing(new Database(file))
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
    using copy = closing(new Database(snapshot.path))
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
    return { tenant: tenantId('kept'), service, ledger: fixture.ledger, socket: null, onRetry: () => undefined }
  }
})

/**
 * Five valid frames with a commit at their end, behind what the wal-index calls committed: what a writer leaves that is
 * killed at the wrong moment.
 */
function appendDeadTransaction(wal: string): void {
  const bytes = readFileSync(wal)
  const header = readWalHeader(bytes)
  if (!header) throw new Error('no WAL')
  const scan = new WalScan(header)
  scan.feed(bytes.subarray(32))
  let checksum = scan.checksum
  const frameBytes = frameBytesOf(header)
  const last = bytes.subarray(scan.state.validEnd - frameBytes, scan.state.validEnd)
  const descriptor = openSync(wal, 'r+')
  try {
    for (let at = 0; at < 5; at++) {
      const frame = Buffer.from(last)
      frame.writeUInt32BE(at === 4 ? (scan.state.pageCountAfterCommit ?? 0) : 0, 4)
      checksum = frameChecksum(new DataView(frame.buffer, frame.byteOffset, frame.length), 0, header, checksum)
      frame.writeUInt32BE(checksum[0], 16)
      frame.writeUInt32BE(checksum[1], 20)
      writeSync(descriptor, frame, 0, frameBytes, scan.state.validEnd + at * frameBytes)
    }
  } finally {
    closeSync(descriptor)
  }
  if (statSync(wal).size !== scan.state.validEnd + 5 * frameBytes)
    throw new Error('the dead transaction does not lie where it should')
}

function closing<Closeable extends { close(): unknown }>(it: Closeable): Disposable & { readonly it: Closeable } {
  return { it, [Symbol.dispose]: () => void it.close() }
}
