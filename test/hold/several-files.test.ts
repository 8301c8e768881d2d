/** A tenant of several files: one quiesce, one moment, one resume, whatever one of its files meets. */
import { appendFileSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { unbounded, type HoldResult, type HoldRequest } from '../../src/hold/hold.ts'
import type { HoldStep } from '../../src/hold/record.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { Event } from '../../src/model/event.ts'
import { Failure } from '../../src/model/failure.ts'
import { create, fillEvents } from '../support/databases/create-database.ts'
import { openUnlockedCheck, type UnlockedCheck } from '../support/hold/expect-unlocked.ts'
import { openHoldFixture, type HoldOptions, type HoldFixture } from '../support/hold/hold-fixture.ts'
import { startOtherProcess, type OtherProcess } from '../support/host/other-process.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

describe('a hold of a tenant with three files', () => {
  let fixture: HoldFixture
  let demo: Demo
  let unlocked: UnlockedCheck
  let other: OtherProcess
  beforeAll(async () => {
    ;[fixture, demo] = await Promise.all([openHoldFixture(), startDemo({ tenants: 1, bytes: 20_000 })])
    unlocked = await openUnlockedCheck()
    other = await startOtherProcess()
  })
  afterAll(async () => {
    await other[Symbol.asyncDispose]()
    await unlocked[Symbol.asyncDispose]()
    await demo[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })

  let files: [string, string, string]
  beforeEach(() => {
    const folder = join(demo.dir, 'acme.files')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    files = [demo.fileOf('acme'), join(folder, 'blobs.db'), join(folder, 'search.db')]
    for (const file of files.slice(1)) create(file, 4096, fillEvents(40))
  })

  /** What was asked of the service, by the ledger's lines. */
  const asked: Event['kind'][] = []
  async function holdAll(
    options: HoldOptions = {},
    named: HoldRequest['files'][0]['named'][] = files,
  ): Promise<readonly HoldResult[]> {
    asked.length = 0
    const ledger: Ledger = Object.assign(Object.create(fixture.ledger) as Ledger, {
      append: (event: Event) => {
        asked.push(event.kind)
        return fixture.ledger.append(event)
      },
      appendSoon: (event: Event) => {
        asked.push(event.kind)
        return fixture.ledger.appendSoon(event)
      },
    })
    const [first = '', ...more] = named
    const held = await fixture.holdAll(
      [first, ...more],
      {
        tenant: tenantId('acme'),
        service: demo.service,
        ledger,
        socket: demo.socket,
        permit: null,
        onRetry: () => undefined,
      },
      options,
    )
    for (const one of held) if (one.kind === 'snapshot') await one.snapshot[Symbol.asyncDispose]()
    expect((await demo.status('acme')).state).toBe('active')
    expect(await fixture.ledger.openHolds()).toEqual([])
    expect(fixture.remainingFiles()).toEqual([])
    return held
  }
  const shortHolds = (held: readonly HoldResult[]): readonly string[] =>
    held.map((one) =>
      one.kind === 'snapshot'
        ? `snapshot ${one.record.evidence.level}`
        : `${one.kind} ${one.failure.code} ${one.failure.tenantState}`,
    )
  const onceAt = (at: HoldStep, work: () => void): HoldOptions => {
    let done = false
    return {
      onStep: (step) => {
        if (step === at && !done) {
          done = true
          work()
        }
      },
    }
  }

  it.each([
    ['cold', 1e9],
    ['warm', 0],
  ] as const)(
    'is one line, one quiesce and one resume, and seals all before it copies the first (%s)',
    async (_, warmAboveBytes) => {
      const steps: HoldStep[] = []
      const held = await holdAll({
        settings: { warmAboveBytes },
        onStep: (step) => {
          steps.push(step)
        },
      })
      expect(shortHolds(held)).toEqual(['snapshot sealed', 'snapshot sealed', 'snapshot sealed'])
      expect(asked).toEqual(['hold-asked', 'hold-quiesced', 'hold-ended'])
      const [first] = held
      expect(new Set(held.map(({ record }) => record.evidence.quiesce?.leaseId)).size).toBe(1)
      expect(held.map(({ record }) => record.timings.pauseMs)).toEqual(
        [1, 2, 3].map(() => first?.record.timings.pauseMs),
      )
      expect(steps.indexOf('copied')).toBeGreaterThan(steps.lastIndexOf('sealed'))
      expect(steps.indexOf('probed-again')).toBeGreaterThan(steps.lastIndexOf('proven-again'))
      expect(steps.indexOf('released')).toBeGreaterThan(steps.lastIndexOf('probed-again'))
      for (const file of files) await unlocked.expect(file)
    },
  )

  it.each<readonly [string, () => void, string]>([
    ['is gone', () => rmSync(files[1]), 'refused NOT_FOUND active'],
    ['has two names', () => linkSync(files[1], `${files[1]}.link`), 'refused MANY_NAMES active'],
    [
      'leads out of the roots',
      () => {
        renameSync(files[1], join(fixture.home, 'outside.db'))
        symlinkSync(join(fixture.home, 'outside.db'), files[1])
      },
      'refused PATH_OUTSIDE_ROOTS active',
    ],
    [
      'is a folder',
      () => {
        rmSync(files[1])
        mkdirSync(files[1])
      },
      'refused NOT_A_FILE active',
    ],
  ])('of which one %s holds the others, in one pause', async (_, wound, outcome) => {
    wound()
    expect(shortHolds(await holdAll({ roots: [demo.dir] }))).toEqual(['snapshot sealed', outcome, 'snapshot sealed'])
    expect(asked).toEqual(['hold-asked', 'hold-quiesced', 'hold-ended'])
    rmSync(join(fixture.home, 'outside.db'), { force: true })
  })

  it('refuses a tenant with more files than one pause may have, before any of them is opened', async () => {
    const held = await holdAll(
      {},
      Array.from({ length: 1_001 }, (_, at) => join(demo.dir, 'acme.files', `${at}.db`)),
    )
    expect([...new Set(shortHolds(held))]).toEqual(['refused TOO_LARGE_FOR_PAUSE untouched'])
    expect(held[1_000]).toMatchObject({
      failure: { message: 'the service lists 1,001 files for this tenant; at most 1,000 are held in one pause' },
    })
    expect(asked).toEqual([])
  })

  it('of which none can be held asks nothing of the service', async () => {
    expect(shortHolds(await holdAll({}, [`${files[1]}.gone`, `${files[2]}.gone`]))).toEqual([
      'refused NOT_FOUND untouched',
      'refused NOT_FOUND untouched',
    ])
    expect(asked).toEqual([])
  })

  it('of which two names lead to one file holds that file once', async () => {
    const alias = join(demo.dir, 'acme.files', 'alias')
    symlinkSync(files[1], alias)
    expect(shortHolds(await holdAll({}, [files[0], files[1], alias]))).toEqual([
      'snapshot sealed',
      'snapshot sealed',
      'refused MANY_NAMES active',
    ])
  })

  it('of which the service does not name one reports that one', async () => {
    const unnamed = join(demo.dir, 'unnamed.file')
    create(unnamed, 4096, fillEvents(10))
    const held = await holdAll({}, [files[0], unnamed])
    expect(shortHolds(held)).toEqual(['snapshot sealed', 'undecided CONTRACT_BROKEN active'])
    rmSync(unnamed)
  })

  it('of which another program has one open seals the others, and releases that one', async () => {
    const descriptor = await other.open(files[2], 'write')
    const held = await holdAll()
    expect(shortHolds(held)).toEqual(['snapshot sealed', 'snapshot sealed', 'undecided IN_USE active'])
    expect(asked).toEqual(['hold-asked', 'hold-quiesced', 'hold-ended'])
    await other.do({ do: 'close', descriptor })
    for (const file of files) await unlocked.expect(file)
  })

  it('of which another program opens one while it is copied releases only that one', async () => {
    const opened: Promise<number>[] = []
    const held = await holdAll(
      onceAt('proven', () => {
        opened.push(other.open(files[2], 'read'))
      }),
    )
    await other.do({
      do: 'close',
      descriptor: await Promise.resolve(opened[0] ?? Promise.reject(new Error('not opened'))),
    })
    // It may come too late: then all three were proven.
    expect(shortHolds(held).slice(0, 2)).toEqual(['snapshot sealed', 'snapshot sealed'])
    for (const file of files) await unlocked.expect(file)
  })

  it('of which one changed during the copy is tried again as a whole: all snapshots are of one moment', async () => {
    const held = await holdAll(onceAt('copied', () => utimesSync(files[2], 1, 1)))
    expect(shortHolds(held)).toEqual(['snapshot sealed', 'snapshot sealed', 'snapshot sealed'])
    expect(held.map(({ record }) => record.evidence.attempts)).toEqual([2, 2, 2])
    expect(new Set(held.map(({ record }) => record.evidence.quiesce?.leaseId)).size).toBe(1)
    expect(asked.filter((kind) => kind === 'hold-quiesced').length).toBe(2)
  })

  const steps: readonly HoldStep[] = [
    'preflight',
    'warm',
    'asked',
    'quiesced',
    'locked',
    'probed',
    'sealed',
    'proven',
    'copied',
    'proven-again',
    'probed-again',
    'released',
    'resumed',
    'kept',
  ]
  it.each(steps)(
    'that fails after "%s" of its second file, by a failure or a defect, resumes the tenant and releases all files',
    async (at) => {
      for (const thrown of [new Failure('IN_USE', 'made by the test'), new TypeError('made by the test')]) {
        let times = 0
        const ended = await holdAll({
          onStep: (step) => {
            if (step === at && ++times === 2) throw thrown
          },
        }).catch((error: unknown) => error as Error)
        expect(times).toBeGreaterThanOrEqual(2)
        if (thrown instanceof Failure)
          expect(ended).toContainEqual(
            expect.objectContaining({ failure: expect.objectContaining({ code: 'IN_USE' }) as Failure }),
          )
        else expect(ended).toBe(thrown)
        await demo.servesAgain('acme')
        expect([await fixture.ledger.openHolds(), fixture.remainingFiles()]).toEqual([[], []])
        for (const file of files) await unlocked.expect(file)
      }
    },
  )

  it('reserves disk space, and predicts the pause, for the sum', async () => {
    for (const file of files.slice(1)) appendFileSync(file, Buffer.alloc(60e6, 1)) // A hole would take no room.
    const reserved: number[] = []
    const bounds = {
      ...unbounded,
      reserve: (bytes: number) => {
        reserved.push(bytes)
        return null
      },
    }
    const settings = { warmAboveBytes: 1e9, maxPauseMs: 900 } // At 100 MB a second each alone would do.
    const held = await holdAll({ bounds, settings })
    expect(shortHolds(held)).toEqual(files.map(() => 'refused TOO_LARGE_FOR_PAUSE untouched'))
    expect([reserved.length, (reserved[0] ?? 0) > 120e6, asked]).toEqual([1, true, []])
  })

  it('gets a warm copy of each WAL file, and the pause copies the tails only', async () => {
    const open = files.slice(1).map((file) => {
      const database = new Database(file)
      database.pragma('journal_mode=WAL')
      database.exec('create table if not exists more(a)')
      return database
    })
    const closing: HoldOptions = {
      settings: { warmAboveBytes: 0 },
      ...onceAt('warm', () => {
        for (const database of open) database.close()
      }),
    }
    const held = await holdAll(closing)
    expect(shortHolds(held)).toEqual(['snapshot sealed', 'snapshot sealed', 'snapshot sealed'])
    expect(held.slice(1).map(({ record }) => record.evidence.snapshot?.method)).toEqual(['warm+tail', 'warm+tail'])
  })
})
