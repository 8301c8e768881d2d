/** Damage in a copy with a weaker seal: it counts only if no other program could write during the copy. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { damageNotesIndex } from '../../scripts/demo/wounds.ts'
import { openHoldFixture, type ExaminedTenant, type HoldFixture } from '../support/hold/hold-fixture.ts'
import { startOtherProcess, type OtherProcess } from '../support/host/other-process.ts'
import { startNode } from '../support/processes.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

describe('at hold.require: exclusive, damage', () => {
  let fixture: HoldFixture
  let demo: Demo
  let other: OtherProcess
  beforeAll(async () => {
    // crate and fjord keep a rollback journal, and no request opens them.
    ;[fixture, demo] = await Promise.all([
      openHoldFixture(),
      startDemo({ tenants: 6, bytes: 20_000, misbehave: 'keeps-handles:crate' }),
    ])
    for (const tenant of ['crate', 'fjord']) damageNotesIndex(demo.fileOf(tenant))
    other = await startOtherProcess()
  })
  afterAll(async () => {
    await other[Symbol.asyncDispose]()
    await demo[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })
  const examine = (tenant: string): Promise<ExaminedTenant> =>
    fixture.examine(demo, tenant, { settings: { require: 'exclusive' } })

  function expectDoubt({ result, exitCode }: ExaminedTenant, pid: number): void {
    expect(result, result?.reason).toMatchObject({
      verdict: 'inconclusive',
      damage: 'none',
      evidence: { level: 'exclusive' },
      remedy: { do: 'nothing' },
    })
    expect([exitCode, result?.reason, result?.remedy.command]).toEqual([
      3,
      expect.stringMatching(new RegExp(`damage was found, but .*pid ${pid}.*could write the file during the copy`)),
      expect.stringMatching(/^holdfast holders /),
    ])
    expect(result?.findings.map(({ rule }) => rule)).toContain('entry-differs-from-row') // For a person to read.
  }

  it('is inconclusive beside a handle of the service that could write, and says whose', async () => {
    expectDoubt(await examine('crate'), demo.pid)
  })

  it('is inconclusive beside a writer without locks, and beside a mapping whose descriptor is closed', async () => {
    const descriptor = await other.open(demo.fileOf('fjord'), 'write')
    expectDoubt(await examine('fjord'), other.pid)
    await other.do({ do: 'close', descriptor })
    await using rogue = startNode('scripts/demo/rogue.ts', [demo.fileOf('fjord')])
    await rogue.ready
    expectDoubt(await examine('fjord'), rogue.pid)
  })

  it(
    'is damage beside a program that can only read, if all programs can be ' +
      'seen; and if the kernel says that no program has the file',
    async () => {
      const descriptor = await other.open(demo.fileOf('fjord'), 'read')
      const { result } = await examine('fjord')
      expect(result?.evidence).toMatchObject({ level: 'exclusive', holders: [{ pid: other.pid, modes: ['read'] }] })
      // In a container it cannot be seen which other programs have the file.
      expect(result?.verdict).toBe(result?.evidence.unseen.length === 0 ? 'damaged' : 'inconclusive')
      await other.do({ do: 'close', descriptor })
      expect((await examine('fjord')).result).toMatchObject({ verdict: 'damaged', evidence: { level: 'sealed' } })
    },
  )

  it('that is none stays none: a sound snapshot is sound', async () => {
    const descriptor = await other.open(demo.fileOf('ember'), 'read')
    expect((await examine('ember')).result?.verdict).toBe('sound')
    await other.do({ do: 'close', descriptor })
  })
})
