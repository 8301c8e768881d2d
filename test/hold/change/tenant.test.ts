/** A change of a tenant that serves: the pause, what the service does in it, several files, and what a crash leaves. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readAcknowledged } from '../../../scripts/demo/verify.ts'
import type { OriginalsLocation, RecoveredChange, RetakenSnapshot } from '../../../src/hold/change/change-types.ts'
import { findChanges } from '../../../src/hold/change/recovery/find-changes.ts'
import { recoverChanges } from '../../../src/hold/change/recovery/recover-changes.ts'
import { takeBackMixed } from '../../../src/hold/change/recovery/take-back-mixed.ts'
import { unbounded, type TenantConnection } from '../../../src/hold/hold.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { NonEmpty } from '../../../src/model/result/verdict.ts'
import { create, fillEvents } from '../../support/databases/create-database.ts'
import { changeFlow, undoFlow, usual, type FlowResult, type FlowOptions } from '../../support/hold/change-flow.ts'
import { rehearse } from '../../support/hold/changes.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { eventually, startNode, startProgram } from '../../support/processes.ts'
import { startDemo, type Demo } from '../../support/service/demo-service.ts'
import { straceArguments, whyNotTraced } from '../../support/system-calls/strace.ts'

const mark = 'pragma user_version = 77'
const versionOf = (file: string): unknown => {
  const db = new Database(file, { readonly: true })
  try {
    return db.pragma('user_version', { simple: true })
  } finally {
    db.close()
  }
}

describe('a change of a tenant', () => {
  let fixture: HoldFixture
  beforeAll(async () => {
    fixture = await openHoldFixture()
  })
  afterAll(() => fixture[Symbol.asyncDispose]())
  let place: OriginalsLocation & { readonly kind: 'quarantine' }
  beforeEach(() => {
    place = { kind: 'quarantine', folder: join(fixture.home, `quarantine-${Math.random()}`) }
  })

  const connectionTo = (demo: Demo, tenant: string): TenantConnection => ({
    tenant: tenantId(tenant),
    service: demo.service,
    ledger: fixture.ledger,
    socket: demo.socket,
    permit: null,
    onRetry: () => undefined,
  })
  const common = (demo: Demo, tenant: string) => ({
    connection: connectionTo(demo, tenant),
    processes: fixture.processes,
    folder: fixture.folder,
    place,
    mend: (snapshot: string) => rehearse(snapshot, mark),
  })
  const flow = (demo: Demo, tenant: string, options: Partial<FlowOptions> = {}): Promise<FlowResult> =>
    changeFlow({ ...common(demo, tenant), files: [demo.fileOf(tenant)], ...options })
  /** Waits until the service has acknowledged another write of the tenant. */
  const untilWritten = async (demo: Demo, tenant: string): Promise<void> => {
    const count = (): number => readAcknowledged(join(demo.dir, 'acknowledged.log')).get(tenant)?.length ?? 0
    const before = count()
    await eventually(`${tenant} is written`, () => count() > before)
  }
  const leftovers = (demo: Demo): readonly string[] =>
    readdirSync(demo.dir).filter((name) => name.startsWith('.holdfast-'))

  it('is made in one short pause, and undone', async () => {
    await using demo = await startDemo({ tenants: 1, bytes: 200_000 })
    const steps: string[] = []
    const done = await flow(demo, 'acme', { onStep: (step) => steps.push(step) })
    expect(done.outcome, JSON.stringify(done.outcome)).toMatchObject({
      kind: 'applied',
      unconfirmed: null,
      remade: false,
    })
    expect(steps.slice(-3)).toEqual(['changed', 'released', 'resumed'])
    expect((await demo.status('acme')).state).toBe('active')
    expect(versionOf(demo.fileOf('acme'))).toBe(77)
    expect(await fixture.ledger.openHolds()).toEqual([])
    expect(leftovers(demo)).toEqual([])
    const undone = await undoFlow(common(demo, 'acme'), done.change)
    expect(undone, JSON.stringify(undone)).toMatchObject({ kind: 'applied', unconfirmed: null })
    expect(versionOf(demo.fileOf('acme'))).not.toBe(77)
    expect(leftovers(demo)).toEqual([])
  })

  it('loses no acknowledged write of a tenant that never stops writing: it is mended anew in the pause', async () => {
    await using demo = await startDemo({ tenants: 2, bytes: 100_000, load: 60 })
    const work = ([taken]: NonEmpty<RetakenSnapshot>) => Promise.resolve([rehearse(taken.snapshot.path, mark)] as const)
    const done = await flow(demo, 'acme', { remake: { ms: 50, work }, between: () => untilWritten(demo, 'acme') })
    expect(done.outcome, JSON.stringify(done.outcome)).toMatchObject({ kind: 'applied', remade: true })
    await untilWritten(demo, 'acme')
    expect((await undoFlow(common(demo, 'acme'), done.change)).kind).toBe('unchanged')
    expect(versionOf(demo.fileOf('acme'))).toBe(77)
    expect(await demo.stopAndVerify()).toBeGreaterThan(0)
  })

  it('is not made if the tenant was written since and nothing may be mended in the pause', async () => {
    await using demo = await startDemo({ tenants: 1, bytes: 100_000, load: 60 })
    const done = await flow(demo, 'acme', { between: () => untilWritten(demo, 'acme') })
    expect(done.outcome).toMatchObject({ kind: 'unchanged', failure: { code: 'REMEDY_STALE', tenantState: 'active' } })
    expect(versionOf(demo.fileOf('acme'))).not.toBe(77)
    expect(leftovers(demo)).toEqual([])
    expect(readdirSync(place.folder)).toEqual([])
    expect(await demo.stopAndVerify()).toBeGreaterThan(0)
  })

  it.each(['restarts', 'lease-expires'])('is not made if the service %s in the pause', async (misbehave) => {
    // The service breaks its word so many ms after its answer. By then the change may be done, or not begun.
    const until = performance.now() + 60_000
    for (const afterMs of [2, 1, 0, 4, 8, 1, 0, 2, 16, 1, 0, 32, 1, 0, 2, 1]) {
      if (performance.now() > until) break
      await using demo = await startDemo({ tenants: 1, bytes: 100_000, misbehave: `${misbehave}=${afterMs}` })
      // The snapshot is taken without a pause: it is the pause of the change in which the service breaks its word.
      const { outcome } = await flow(demo, 'acme', { holdBare: true })
      await demo.servesAgain('acme', 5_000)
      expect(leftovers(demo)).toEqual([])
      if (outcome.kind === 'unchanged') {
        expect(versionOf(demo.fileOf('acme'))).not.toBe(77)
        return
      }
      expect(outcome, JSON.stringify(outcome)).toMatchObject({ kind: 'applied', unconfirmed: { code: 'LEASE_LOST' } })
      expect(versionOf(demo.fileOf('acme'))).toBe(77)
    }
    expect.fail('each time the change was done before the service broke its word')
  })

  it('takes all files of the tenant, or none', async () => {
    await using demo = await startDemo({ tenants: 1, bytes: 50_000 })
    const folder = join(demo.dir, 'acme.files')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    const files = [demo.fileOf('acme'), join(folder, 'blobs.db'), join(folder, 'search.db')] as const
    for (const file of files.slice(1)) create(file, 4096, fillEvents(40))
    const broken = await flow(demo, 'acme', {
      files,
      between: () => {
        const db = new Database(files[2])
        db.pragma('user_version = 5')
        db.close()
      },
    })
    expect(broken.outcome).toMatchObject({ kind: 'unchanged', failure: { code: 'REMEDY_STALE' } })
    expect(files.map(versionOf)).not.toContain(77)
    const done = await flow(demo, 'acme', { files })
    expect(done.outcome, JSON.stringify(done.outcome)).toMatchObject({ kind: 'applied' })
    expect(files.map(versionOf)).toEqual([77, 77, 77])
    expect(done.originals).toHaveLength(3)
    const undone = await undoFlow(common(demo, 'acme'), done.change)
    expect(undone.kind === 'unchanged' ? undone.failure.message : '').toBe('')
    expect(files.map(versionOf)).not.toContain(77)
  })

  const untraced = whyNotTraced()
  describe.skipIf(untraced !== null)('killed between two of its files', () => {
    /** The first file is changed, the second is not. */
    async function killedBetween(demo: Demo, what: 'change' | 'undo', home: string): Promise<readonly string[]> {
      const folder = join(demo.dir, 'acme.files')
      mkdirSync(folder)
      const files = [demo.fileOf('acme'), join(folder, 'blobs.db')]
      create(files[1] ?? '', 4096, fillEvents(40))
      mkdirSync(home, { mode: 0o700 })
      const run = async (action: 'change' | 'undo', kill: boolean): Promise<void> => {
        const program = [process.execPath, 'test/support/programs/changer.ts']
        const given = [action, files.join(','), home, 'swap', demo.socket, 'acme']
        const fault = { call: 'renameat2', what: 'signal=SIGKILL', when: kill ? 2 : 1_000, path: null }
        await using started = startProgram('strace', [...straceArguments('/dev/null', fault), ...program, ...given])
        await started.ended
      }
      if (what === 'undo') await run('change', false)
      await run(what, true)
      await demo.servesAgain('acme', 5_000)
      place = { kind: 'quarantine', folder: join(home, 'quarantine') }
      expect(files.map(versionOf)).toEqual(what === 'change' ? [77, 0] : [0, 77])
      return files
    }
    const takeBackChange = async (demo: Demo) => {
      const [recovered] = (await recoverChanges(place, null)) as [RecoveredChange]
      expect(recovered).toMatchObject({ how: 'unclear', isMixed: true })
      expect(recovered.sentence).toContain('some are old, some new')
      const { connection, processes, folder } = common(demo, 'acme')
      const request = { roots: null, connection, settings: usual, folder, bounds: unbounded, onStep: () => undefined }
      return takeBackMixed(recovered, request, processes, new AbortController().signal)
    }

    it.each(['change', 'undo'] as const)('is wholly old after the next run: %s', async (what) => {
      await using demo = await startDemo({ tenants: 1, bytes: 50_000 })
      const files = await killedBetween(demo, what, join(fixture.home, `between-${what}`))
      const ended = await takeBackChange(demo)
      expect(ended.sentence).toContain('was taken back: all files of the tenant hold what they held before')
      expect(files.map(versionOf)).toEqual([0, 0])
      expect(findChanges(place)[0]?.record.state).toBe('undone')
      expect(leftovers(demo)).toEqual([])
      expect(await recoverChanges(place, null)).toEqual([])
      expect((await demo.status('acme')).state).toBe('active')
    })

    it('stays as it is if a changed file was written since: nothing is lost', async () => {
      await using demo = await startDemo({ tenants: 1, bytes: 50_000 })
      const files = await killedBetween(demo, 'change', join(fixture.home, 'between-written'))
      const db = new Database(files[0])
      db.pragma('application_id = 5')
      db.close()
      const ended = await takeBackChange(demo)
      expect(ended).toMatchObject({ how: 'unclear' })
      expect(ended.sentence).toMatch(/could not be taken back \(REMEDY_STALE: .*`holdfast repair --tenant acme --undo /)
      expect(files.map(versionOf)).toEqual([77, 0])
      expect(findChanges(place)[0]?.record.state).toBe('unclear')
    })
  })

  it.each(['proven', 'changed'])(
    'is whole if its run freezes at "%s": the guardian resumes the tenant',
    async (step) => {
      await using demo = await startDemo({ tenants: 1, bytes: 50_000 })
      const home = join(fixture.home, `frozen-${step}`)
      mkdirSync(home, { mode: 0o700 })
      await using holder = startNode(
        'test/support/programs/changer.ts',
        ['change', demo.fileOf('acme'), home, 'swap', demo.socket, 'acme'],
        { STOP_AT: step, STOP_TIMES: step === 'proven' ? '2' : '1' },
      )
      expect(await holder.ended).toMatchObject({ code: null, signal: 'SIGKILL' })
      await demo.servesAgain('acme', 5_000)
      expect(versionOf(demo.fileOf('acme'))).toBe(step === 'changed' ? 77 : 0)
      const kept = { kind: 'quarantine', folder: join(home, 'quarantine') } as const
      const [recovered] = await recoverChanges(kept, null)
      expect(recovered?.how).toBe(step === 'changed' ? 'applied' : 'rolled-back')
      expect(findChanges(kept)[0]?.record.state).toBe(recovered?.how)
      expect(leftovers(demo)).toEqual([])
      expect((await demo.status('acme')).state).toBe('active')
    },
  )
})
