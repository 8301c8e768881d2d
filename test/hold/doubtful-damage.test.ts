/** Damage that a weaker seal shows: it counts only where nobody could write while the copy was made. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { damageIndex } from '../../scripts/demo/wounds.ts'
import { openWorkplace, type Examined, type Workplace } from '../support/hold/hold-fixture.ts'
import { startOtherProcess, type OtherProcess } from '../support/host/other-process.ts'
import { startNode } from '../support/processes.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

describe('at hold.require: exclusive, damage', () => {
  let place: Workplace
  let demo: Demo
  let stranger: OtherProcess
  beforeAll(async () => {
    // crate and fjord keep a rollback journal, and nobody asks for them.
    ;[place, demo] = await Promise.all([
      openWorkplace(),
      startDemo({ tenants: 6, bytes: 20_000, misbehave: 'keeps-handles:crate' }),
    ])
    for (const tenant of ['crate', 'fjord']) damageIndex(demo.fileOf(tenant))
    stranger = await startOtherProcess()
  })
  afterAll(async () => {
    await stranger[Symbol.asyncDispose]()
    await demo[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  })
  const examine = (tenant: string): Promise<Examined> =>
    place.examine(demo, tenant, { settings: { require: 'exclusive' } })

  function expectDoubt({ result, exitCode }: Examined, pid: number): void {
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

  it('is inconclusive beside a writer that does not lock, and beside a mapping whose descriptor is closed', async () => {
    const descriptor = await stranger.open(demo.fileOf('fjord'), 'write')
    expectDoubt(await examine('fjord'), stranger.pid)
    await stranger.do({ do: 'close', descriptor })
    await using rogue = startNode('scripts/demo/rogue.ts', [demo.fileOf('fjord')])
    await rogue.ready
    expectDoubt(await examine('fjord'), rogue.pid)
  })

  it(
    'is damage beside somebody who can only read, where everybody can be ' +
      'seen; and where the kernel says that nobody has the file',
    async () => {
      const descriptor = await stranger.open(demo.fileOf('fjord'), 'read')
      const { result } = await examine('fjord')
      expect(result?.evidence).toMatchObject({ level: 'exclusive', holders: [{ pid: stranger.pid, modes: ['read'] }] })
      // In a container nobody can say who else has the file.
      expect(result?.verdict).toBe(result?.evidence.unseen.length === 0 ? 'damaged' : 'inconclusive')
      await stranger.do({ do: 'close', descriptor })
      expect((await examine('fjord')).result).toMatchObject({ verdict: 'damaged', evidence: { level: 'sealed' } })
    },
  )

  it('that is none stays none: a sound snapshot is sound', async () => {
    const descriptor = await stranger.open(demo.fileOf('ember'), 'read')
    expect((await examine('ember')).result?.verdict).toBe('sound')
    await stranger.do({ do: 'close', descriptor })
  })
})
