/** Sparse files: holes are neither copied nor waited for, and the report is the same as without them. */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, copyFileSync, openSync, readdirSync, readSync, statSync, truncateSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { create, fillEvents } from '../../support/databases/create-database.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { mount, whySkipped, whyNoMount } from '../../support/host/mounts.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'

const MiB = 1 << 20
const GiB = 1024 * MiB
const bytesOnDisk = (path: string): number => statSync(path).blocks * 512
const whyNoTmpfs = whyNoMount('tmpfs')

describe('a sparse file', () => {
  let fixture: HoldFixture
  beforeAll(async () => {
    fixture = await openHoldFixture()
  })
  afterAll(() => fixture[Symbol.asyncDispose]())

  const withHole = (path: string, bytes: number): string => {
    create(path, 4096, fillEvents(500))
    truncateSync(path, bytes)
    return path
  }

  it.skipIf(whyNoTmpfs !== null)(
    `takes as much of the disk as it has data, and its digest is that of all its bytes${whySkipped(whyNoTmpfs)}`,
    async () => {
      using folder = temporaryFolder()
      using small = mount('tmpfs', 40 * MiB)
      const file = withHole(folder.file('a.db'), 300 * MiB)
      const held = await fixture.holdBare(file, {
        folder: small.path,
        settings: { warmAboveBytes: 0, maxPauseMs: 2_000 },
      })
      if (held.kind !== 'snapshot') throw held.failure
      await using snapshot = held.snapshot
      expect([snapshot.bytes, bytesOnDisk(snapshot.path) < MiB, snapshot.bytesOnDisk < MiB]).toEqual([
        300 * MiB,
        true,
        true,
      ])
      const { size } = statSync(file)
      const hash = createHash('sha256')
      const read = openSync(file, 'r')
      const piece = Buffer.alloc(4 * MiB)
      for (let at = 0; at < size; at += piece.length)
        hash.update(piece.subarray(0, readSync(read, piece, 0, piece.length, at)))
      closeSync(read)
      expect(held.record.evidence.snapshot).toMatchObject({ bytes: 300 * MiB, sha256: hash.digest('hex') })
      expect(held.record.evidence.snapshot?.tailBytes).toBeLessThan(MiB)
      expect((await fixture.examineBare(file)).result).toMatchObject({
        verdict: 'sound',
        coverage: { pages: 300 * 256, pagesRead: 300 * 256 },
      })
    },
  )

  it('is reported to have data far behind the end of its database', async () => {
    using folder = temporaryFolder()
    const path = withHole(folder.file('a.db'), 60 * MiB)
    const file = openSync(path, 'r+')
    writeSync(file, randomBytes(4096), 0, 4096, 40 * MiB)
    closeSync(file)
    const { result } = await fixture.examineBare(path)
    expect(result).toMatchObject({
      verdict: 'damaged',
      findings: [
        { rule: 'page-unowned', text: expect.stringMatching(/^1 page with content lies behind the end/) as string },
      ],
    })
  })

  /** A live set as a crash leaves it: the log holds commits that the file does not. */
  const crashed = (path: string): void => {
    const source = `${path}.source`
    using database = new Disposed(source)
    database.it.pragma('journal_mode = wal')
    database.it.pragma('wal_autocheckpoint = 0')
    database.it.exec('create table t (a)')
    database.it.pragma('wal_checkpoint(truncate)')
    database.it.exec(
      'with recursive n(i) as (select 1 union all select i + 1 from n where i < 300) insert into t select i from n',
    )
    copyFileSync(source, path)
    copyFileSync(`${source}-wal`, `${path}-wal`)
  }
  class Disposed implements Disposable {
    readonly it: Database.Database
    constructor(path: string) {
      this.it = new Database(path)
    }
    [Symbol.dispose](): void {
      this.it.close()
    }
  }

  it('may be the log: it is read up to its last frame', async () => {
    using folder = temporaryFolder()
    const path = folder.file('a.db')
    crashed(path)
    const walBytes = statSync(`${path}-wal`).size
    truncateSync(`${path}-wal`, 900 * GiB)
    const held = await fixture.holdBare(path)
    if (held.kind !== 'snapshot') throw held.failure
    await using snapshot = held.snapshot
    expect(statSync(`${snapshot.path}-wal`).size).toBeLessThan(walBytes + 100_000)
    expect(readdirSync(dirname(snapshot.path)).length).toBe(2)
    const { result } = await fixture.examineBare(path)
    expect(result).toMatchObject({ verdict: 'sound', content: { tables: [{ name: 't', rows: 300 }] } })
  })

  it('may be a log whose header is gone: the same is said of it as without the hole', async () => {
    using folder = temporaryFolder()
    const judge = async (bytes: number | null): Promise<unknown> => {
      const path = folder.file(`${bytes}.db`)
      crashed(path)
      const wal = openSync(`${path}-wal`, 'r+')
      writeSync(wal, Buffer.alloc(32), 0, 32, 0)
      closeSync(wal)
      if (bytes !== null) truncateSync(`${path}-wal`, bytes)
      const { result } = await fixture.examineBare(path)
      return [result?.verdict, result?.reason]
    }
    const without = await judge(null)
    expect(without).toEqual(['inconclusive', expect.stringContaining('its header does not verify')])
    expect(await judge(900 * GiB)).toEqual(without)
  })

  it('may be a journal: one that was ended, and one that is hot', async () => {
    using folder = temporaryFolder()
    const ended = withHole(folder.file('ended.db'), MiB)
    closeSync(openSync(`${ended}-journal`, 'w'))
    truncateSync(`${ended}-journal`, 900 * GiB)
    expect((await fixture.examineBare(ended)).result?.verdict).toBe('sound')
    const hot = folder.file('hot.db')
    create(hot, 4096, fillEvents(500))
    const header = Buffer.alloc(512)
    Buffer.from('d9d505f920a163d7ffffffff', 'hex').copy(header)
    header.writeUInt32BE(statSync(hot).size / 4096, 16)
    header.writeUInt32BE(512, 20)
    header.writeUInt32BE(4096, 24)
    const journal = openSync(`${hot}-journal`, 'w')
    writeSync(journal, header)
    closeSync(journal)
    truncateSync(`${hot}-journal`, 2 * GiB)
    expect((await fixture.examineBare(hot)).result?.verdict).toBe('sound')
  })
})
