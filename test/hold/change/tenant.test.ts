/** A change of a tenant that serves: the pause, what the service does in it, several files, and what a crash leaves. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { OriginalPlace, TakenAgain } from '../../../src/hold/change/change-types.ts'
import { findChanges } from '../../../src/hold/change/recovery/find-changes.ts'
import { recoverChanges } from '../../../src/hold/change/recovery/recover-changes.ts'
import type { TenantConnection } from '../../../src/hold/hold.ts'
import { tenantId } from '../../../src/model/brand.ts'
import type { NonEmpty } from '../../../src/model/result/verdict.ts'
import { create, fillEvents } from '../../support/databases/create-database.ts'
import { changeFlow, undoFlow, type Flowed, type FlowOptions } from '../../support/hold/change-flow.ts'
import { rehearse } from '../../support/hold/changes.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { startNode, startProgram } from '../../support/processes.ts'
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
  let place: OriginalPlace & { readonly kind: 'quarantine' }
  beforeEach(() => {
    place = { kind: 'quarantine', folder: join(fixture.home, `quarantine-${Math.random()}`) }
  })

  const connectionTo = (demo: Demo, tenant: string): TenantConnection => ({
    tenant: tenantId(tenant),
    service: demo.service,
    ledger: fixture.ledger,
    socket: demo.socket,
    onRetry: () => undefined,
  })
  const common = (demo: Demo, tenant: string) => ({
    connection: connectionTo(demo, tenant),
    processes: fixture.processes,
    folder: fixture.folder,
    place,
    mend: (snapshot: string) => rehearse(snapshot, mark),
  })
  const flow = (demo: Demo, tenant: string, options: Partial<FlowOptions> = {}): Promise<Flowed> =>
    changeFlow({ ...common(demo, tenant), files: [demo.fileOf(tenant)], ...options })
  const leftovers = (demo: Demo): readonly string[] =>
    readdirSync(demo.dir).filter((name) => name.startsWith('.holdfast-'))

  it('is made in one short pause, and undone', async () => {
    await using demo = await startDemo({ tenants: 1, bytes: 200_000 })
    const steps: string[] = []
    const done = await flow(demo, 'acme', { onStep: (step) => steps.push(step) })
    expect(done.outcome, JSON.stringify(done.outcome)).toMatchObject({ kind: 'applied', unproven: null, remade: false })
    expect(steps.slice(-3)).toEqual(['changed', 'released', 'resumed'])
    expect((await demo.status('acme')).state).toBe('active')
    expect(versionOf(demo.fileOf('acme'))).toBe(77)
    expect(await fixture.ledger.openHolds()).toEqual([])
    expect(leftovers(demo)).toEqual([])
    const undone = await undoFlow(common(demo, 'acme'), done.change)
    expect(undone, JSON.stringify(undone)).toMatchObject({ kind: 'applied', unproven: null })
    expect(versionOf(demo.fileOf('acme'))).not.toBe(77)
    expect(leftovers(demo)).toEqual([])
  })

  it('loses no acknowledged write of a tenant that never stops writing: it is mended anew in the pause', async () => {
    await using demo = await startDemo({ tenants: 2, bytes: 100_000, load: 60 })
    const work = ([taken]: NonEmpty<TakenAgain>) => Promise.resolve([rehearse(taken.snapshot.path, mark)] as const)
    const done = await flow(demo, 'acme', { remake: { ms: 50, work } })
    expect(done.outcome, JSON.stringify(done.outcome)).toMatchObject({ kind: 'applied', remade: true })
    expect((await undoFlow(common(demo, 'acme'), done.change)).kind).toBe('unchanged')
    expect(versionOf(demo.fileOf('acme'))).toBe(77)
    expect(await demo.stopAndVerify()).toBeGreaterThan(0)
  })

  it('is not made if the tenant was written since and nothing may be mended in the pause', async () => {
    await using demo = await startDemo({ tenants: 1, bytes: 100_000, load: 60 })
    const done = await flow(demo, 'acme')
    expect(done.outcome).toMatchObject({ kind: 'unchanged', failure: { code: 'REMEDY_STALE', tenantState: 'active' } })
    expect(versionOf(demo.fileOf('acme'))).not.toBe(77)
    expect(leftovers(demo)).toEqual([])
    expect(readdirSync(place.folder)).toEqual([])
    expect(await demo.stopAndVerify()).toBeGreaterThan(0)
  })

  it.each(['restarts', 'lease-expires'])('is not made if the service %s in the pause', async (misbehave) => {
    await using demo = await startDemo({ tenants: 1, bytes: 100_000, misbehave: `${misbehave}=2` })
    // The snapshot is taken without a pause: it is the pause of the change in which the service breaks its word.
    const done = await flow(demo, 'acme', { holdBare: true })
    expect(done.outcome, JSON.stringify(done.outcome)).toMatchObject({ kind: 'unchanged' })
    await demo.servesAgain('acme', 5_000)
    expect(versionOf(demo.fileOf('acme'))).not.toBe(77)
    expect(leftovers(demo)).toEqual([])
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
  it.skipIf(untraced !== null)('killed between two of its files, can be undone for all of them', async () => {
    await using demo = await startDemo({ tenants: 1, bytes: 50_000 })
    const folder = join(demo.dir, 'acme.files')
    mkdirSync(folder)
    const files = [demo.fileOf('acme'), join(folder, 'blobs.db')]
    create(files[1] ?? '', 4096, fillEvents(40))
    const home = join(fixture.home, 'between')
    mkdirSync(home, { mode: 0o700 })
    const program = [process.execPath, 'test/support/programs/changer.ts']
    const given = ['change', files.join(','), home, 'swap', demo.socket, 'acme']
    const fault = { call: 'renameat2', what: 'signal=SIGKILL', when: 2, path: null }
    await using killed = startProgram('strace', [...straceArguments('/dev/null', fault), ...program, ...given])
    await killed.ended
    await demo.servesAgain('acme', 5_000)
    place = { kind: 'quarantine', folder: join(home, 'quarantine') }
    const [recovered] = await recoverChanges(place, null)
    expect(recovered).toMatchObject({ how: 'unclear' })
    expect(recovered?.sentence).toContain('some are old, some new')
    expect(files.map(versionOf)).toEqual([77, 0])
    const undone = await undoFlow(common(demo, 'acme'), findChanges(place)[0]?.record.change ?? ('' as never))
    expect(undone.kind === 'unchanged' ? undone.failure.message : '').toBe('')
    expect(files.map(versionOf)).toEqual([0, 0])
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
