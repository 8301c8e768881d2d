/** A bare file that another program uses: the check is refused, and that program notices nothing. */
import { chownSync, copyFileSync, readdirSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { holdfast, launcher } from '../../support/cli/program.ts'
import { create, fillEvents } from '../../support/databases/create-database.ts'
import { footprint } from '../../support/hold/expect-unlocked.ts'
import { openHoldFixture, type HoldFixture } from '../../support/hold/hold-fixture.ts'
import { startOtherProcess, temporaryFolder } from '../../support/host/other-process.ts'
import { startNode, startProgram, type Program } from '../../support/processes.ts'

const isRoot = process.geteuid?.() === 0

describe('a bare file', () => {
  let fixture: HoldFixture
  let folder: ReturnType<typeof temporaryFolder>
  let file: string
  beforeAll(async () => {
    fixture = await openHoldFixture()
  })
  afterAll(() => fixture[Symbol.asyncDispose]())
  beforeEach(() => {
    folder = temporaryFolder()
    file = folder.file('used.db')
    create(file, 4096, fillEvents(30))
  })
  afterEach(() => folder[Symbol.dispose]())

  /** While `work` is done with it. */
  async function refusedOf(mode: string, how: string, work: () => Promise<void>): Promise<number> {
    const user: Program = startNode('test/support/programs/file-user.ts', [file, mode, how])
    await user.ready
    await work()
    await user[Symbol.asyncDispose]()
    const { done, refused } = JSON.parse((await user.ended).stdout.trim().split('\n').at(-1) ?? '') as {
      readonly done: number
      readonly refused: number
    }
    expect(done).toBeGreaterThan(1)
    return refused
  }

  it.each([
    ['delete', 'keeps-open', ['IN_USE', 'LOCK_BUSY']],
    ['wal', 'keeps-open', ['LOCK_BUSY']],
    ['delete', 'reads', ['IN_USE', 'LOCK_BUSY']],
    ['wal', 'reads', ['LOCK_BUSY']],
    ['delete', 'opens-each-time', ['IN_USE', 'LOCK_BUSY']],
    ['wal', 'opens-each-time', ['IN_USE', 'LOCK_BUSY']],
  ] as const)(
    'with a journal in mode %s whose owner %s: no check is made, and none of its work is refused',
    async (mode, how, codes) => {
      const refused = await refusedOf(mode, how, async () => {
        for (const require of ['sealed', 'exclusive', 'writer-locked', 'sealed', 'sealed', 'sealed'] as const) {
          const { result, exitCode } = await fixture.examineBare(file, { settings: { require } })
          expect([exitCode, result?.failure?.tenantState, result?.evidence.lock]).toEqual([75, 'untouched', null])
          expect(codes).toContain(result?.failure?.code)
        }
      })
      expect(refused).toBe(0)
      expect(fixture.remainingFiles()).toEqual([])
    },
  )

  it('is checked by no command while it is used, and its user notices none of them', async () => {
    const copy = folder.file('copy.db')
    copyFileSync(file, copy)
    const commands = [
      ['check', file],
      ['check', '--ledger', folder.file('ledger'), file],
      ['compare', file, copy],
      ['check', '--snapshots', folder.file('snapshots'), file],
    ]
    const refused = await refusedOf('delete', 'reads', async () => {
      const ran = await Promise.all(commands.map((args) => holdfast(args)))
      expect(
        ran.map(({ code }) => code),
        ran.map(({ stdout, stderr }) => stdout + stderr).join('\n'),
      ).toEqual([75, 75, 75, 75])
    })
    expect(refused).toBe(0)
  })

  it(
    'that is only mapped, or open to read, or open in a WAL mode without a ' +
      'transaction, is neither locked nor changed, and no file appears beside it',
    async () => {
      await using other = await startOtherProcess()
      await using rogue = startNode('scripts/demo/rogue.ts', [file])
      await rogue.ready
      const before = footprint(file)
      expect((await fixture.examineBare(file)).result?.failure).toMatchObject({
        code: 'IN_USE',
        message: expect.stringContaining(String(rogue.pid)) as string,
      })
      await rogue[Symbol.asyncDispose]()
      const descriptor = await other.open(file, 'read')
      expect((await fixture.examineBare(file)).result).toMatchObject({
        failure: { code: 'IN_USE' },
        evidence: { lock: null, fileSystem: expect.any(String) as string },
      })
      await other.do({ do: 'close', descriptor })
      expect([footprint(file), readdirSync(folder.path)]).toEqual([before, ['used.db']])
      expect((await fixture.examineBare(file)).result?.verdict).toBe('sound')
    },
  )

  it('on which another program has a kernel lease is not even opened', async () => {
    await using other = await startOtherProcess()
    const descriptor = await other.open(file, 'write')
    expect(await other.do({ do: 'lease', descriptor })).toBe('granted')
    expect((await fixture.examineBare(file)).result?.failure).toMatchObject({
      code: 'IN_USE',
      message: expect.stringMatching(/kernel lease on .*: process \d+/) as string,
    })
    expect(await other.do({ do: 'lease-state', descriptor })).toBe('write')
  })

  it('that is opened while its check is prepared is released immediately, and nothing is locked', async () => {
    await using other = await startOtherProcess()
    // It has started.
    await other.do({ do: 'close', descriptor: await other.open(folder.file('used.db'), 'read') })
    const opened: Promise<number>[] = []
    const held = await fixture.holdBare(file, {
      onStep: (step) => {
        if (step === 'preflight') opened.push(other.open(file, 'read'))
      },
    })
    expect(held).toMatchObject({
      kind: 'refused',
      failure: { code: 'IN_USE', tenantState: 'untouched' },
      record: { evidence: { lock: null } },
    })
    await Promise.all(opened)
    expect(fixture.remainingFiles()).toEqual([])
  })

  it.skipIf(!isRoot)(
    'where no kernel lease is to be had: the open-file table is asked ' +
      'first, and the level says that it is weaker (as root)',
    async () => {
      chownSync(file, 65_534, 65_534)
      const configuration = folder.file('holdfast.yaml')
      writeFileSync(
        configuration,
        JSON.stringify({
          service: {
            name: 'none',
            hooks: { tenants: ['true'], quiesce: ['true', '{tenant}'], resume: ['true', '{tenant}'] },
          },
          tenants: { roots: [folder.path] },
          hold: { require: 'exclusive' },
          snapshots: { dir: folder.file('s') },
          ledger: { dir: folder.file('l') },
        }),
      )
      const check = async (
        ...args: readonly string[]
      ): Promise<{ readonly code: number | null; readonly stdout: string }> =>
        startProgram('setpriv', [
          '--inh-caps=-lease',
          '--bounding-set=-lease',
          process.execPath,
          launcher,
          'check',
          file,
          '--json',
          ...args,
        ]).ended
      const refused = await refusedOf('delete', 'keeps-open', async () => {
        // Between two transactions the missing lease is what tells; in the middle of one its lock.
        expect([1, 75]).toContain((await check()).code)
        expect((await check('--config', configuration)).code).toBe(75)
      })
      expect(refused).toBe(0)
      const {
        results: [result],
      } = JSON.parse((await check('--config', configuration)).stdout) as {
        results: { verdict: string; evidence: { level: string; lease: { state: string } } }[]
      }
      expect(result).toMatchObject({
        verdict: 'sound',
        evidence: { level: 'exclusive', lease: { state: 'unsupported' } },
      })
    },
  )
})
