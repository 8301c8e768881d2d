/** Other programs that use a tenant's files, and files that change during a hold. */
import { appendFileSync, copyFileSync, renameSync } from 'node:fs'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HoldStep } from '../../src/hold/record.ts'
import { footprint, openUnlockedCheck, type UnlockedCheck } from '../support/hold/expect-unlocked.ts'
import { openHoldFixture, type ExaminedTenant, type HoldFixture } from '../support/hold/hold-fixture.ts'
import { startOtherProcess, temporaryFolder, type OtherProcess } from '../support/host/other-process.ts'
import { eventually, startNode, startProgram } from '../support/processes.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

describe('a hold, when another program has the file,', () => {
  let fixture: HoldFixture
  let demo: Demo
  let unlocked: UnlockedCheck
  beforeAll(async () => {
    fixture = await openHoldFixture()
    demo = await startDemo({ tenants: 6, bytes: 30_000 })
    unlocked = await openUnlockedCheck()
  })
  afterAll(async () => {
    await unlocked[Symbol.asyncDispose]()
    await demo[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })
  let other: OtherProcess
  beforeEach(async () => {
    other = await startOtherProcess()
    return () => other[Symbol.asyncDispose]()
  })

  const seen = ({ result, exitCode, stopped }: ExaminedTenant): unknown => ({
    verdict: result?.verdict,
    code: result?.failure?.code ?? null,
    state: result?.failure?.tenantState ?? null,
    exitCode,
    stops: stopped?.code ?? null,
  })
  const refused = (code: string): unknown => ({
    verdict: 'inconclusive',
    code,
    state: 'active',
    exitCode: 3,
    stops: null,
  })

  /** The tenant serves, the ledger is closed, nothing lies about. */
  async function expectUnharmed(tenant: string, { open }: ExaminedTenant): Promise<void> {
    expect((await demo.status(tenant)).state).toBe('active')
    expect(open).toEqual([])
    expect(fixture.remainingFiles()).toEqual([])
  }

  it.each(['acme', 'crate'])('refuses a rogue writer with an idle descriptor and names it (%s)', async (tenant) => {
    await other.open(demo.fileOf(tenant), 'write')
    const examined = await fixture.examine(demo, tenant)
    expect(seen(examined)).toEqual(refused('IN_USE'))
    expect(examined.result?.failure?.message).toContain(String(other.pid))
    expect(examined.result?.evidence.holders.map(({ pid }) => pid)).toContain(other.pid)
    await expectUnharmed(tenant, examined)
  })

  it.each(['acme', 'crate'])('refuses even a program that only reads (%s)', async (tenant) => {
    await other.open(demo.fileOf(tenant), 'read')
    expect(seen(await fixture.examine(demo, tenant))).toEqual(refused('IN_USE'))
  })

  it.each(['acme', 'crate'])(
    'refuses a rogue that mapped the file and closed its descriptor, and names it (I1.3, %s)',
    async (tenant) => {
      await using rogue = startNode('scripts/demo/rogue.ts', [demo.fileOf(tenant)])
      await rogue.ready
      const examined = await fixture.examine(demo, tenant)
      expect(seen(examined)).toEqual(refused('IN_USE'))
      expect(examined.result?.failure?.message).toContain(String(rogue.pid))
      expect(examined.result?.evidence.holders).toContainEqual(
        expect.objectContaining({ pid: rogue.pid, modes: ['mapped'] }),
      )
      await expectUnharmed(tenant, examined)
    },
  )

  it.each(['acme', 'crate'])('never takes a copy that a sqlite3 shell writes into every 50 ms (%s)', async (tenant) => {
    await using shell = startProgram('/bin/sh', [
      '-c',
      `while sqlite3 -cmd '.timeout 20' "$0" "insert into notes (title, body, at) values ('cron', ` +
        `'job', 1)"; do :; sleep 0.05; done; while true; do sqlite3 "$0" "insert into notes (title, ` +
        `body, at) values ('cron', 'job', 1)" 2>/dev/null; sleep 0.05; done`,
      demo.fileOf(tenant),
    ])
    const rows = (): number => {
      const database = new Database(demo.fileOf(tenant), { readonly: true, timeout: 2_000 })
      try {
        return database.prepare("select count(*) from notes where title = 'cron'").pluck().get() as number
      } finally {
        database.close()
      }
    }
    await eventually('the shell writes', () => rows() > 1)
    for (let time = 0; time < 6; time++) {
      const examined = await fixture.examine(demo, tenant)
      // Between two writes no program has the file: only then a snapshot is taken, and it is sound.
      const { verdict, failure } = examined.result!
      if (verdict !== 'sound') {
        expect(verdict).toBe('inconclusive')
        expect(['IN_USE', 'LOCK_BUSY', 'COPY_CHANGED', 'WRITER_SEEN']).toContain(failure?.code)
        expect(failure?.tenantState).toBe('active')
      }
      await expectUnharmed(tenant, examined)
    }
    const before = rows()
    await eventually('the shell goes on writing', () => rows() > before)
    expect(shell.pid).toBeGreaterThan(0)
  })

  it('releases the sealed file within 0.1 s to a program that opens it, and discards the copy (F12)', async () => {
    using folder = temporaryFolder()
    const file = folder.file('large.db')
    copyFileSync(demo.fileOf('crate'), file)
    appendFileSync(file, Buffer.alloc(300e6, 1)) // Its copy takes long; a hole would take no time.
    await other.do({ do: 'close', descriptor: await other.open(file, 'read') }) // It has started.
    const waited: Promise<number>[] = []
    const openInTheMiddle = (step: HoldStep): void => {
      if (step === 'proven') waited.push(openAndClose())
    }
    const openAndClose = async (): Promise<number> => {
      const startedAt = performance.now()
      const descriptor = await other.open(file, 'read')
      const tookMs = performance.now() - startedAt
      await other.do({ do: 'close', descriptor })
      return tookMs
    }
    for (const time of [1, 2, 3, 4, 5]) {
      const held = await fixture.holdBare(file, { onStep: openInTheMiddle })
      expect({ kind: held.kind, failure: held.kind === 'snapshot' ? null : held.failure.message }).toEqual({
        kind: 'undecided',
        failure: expect.stringMatching(/released it immediately/),
      })
      await Promise.all(waited)
      expect(waited.length).toBe(time)
      expect(fixture.remainingFiles()).toEqual([])
    }
    // Of several: one alone measures what else the machine does.
    expect(Math.min(...(await Promise.all(waited)))).toBeLessThan(100)
  })

  it.each([
    ['warm', ['sound']], // The tenant is not paused yet, and the service then names the file that we see.
    ['quiesced', ['CONTRACT_BROKEN', 'sound']],
    ['locked', ['WRITER_SEEN']],
    ['probed', ['WRITER_SEEN']],
    ['sealed', ['WRITER_SEEN']],
    ['proven', ['COPY_CHANGED']],
    ['copied', ['COPY_CHANGED']],
    ['proven-again', ['WRITER_SEEN', 'COPY_CHANGED']],
    ['probed-again', ['sound']], // By then the copy is proven; what happens to the name afterwards does not touch it.
  ] as const)('takes no copy of a file that was replaced by another after "%s"', async (at, answers) => {
    using folder = temporaryFolder(demo.home)
    const file = demo.fileOf('crate')
    for (let time = 0; time < 3; time++) copyFileSync(file, folder.file(`other-${time}.db`))
    let times = 0
    const examined = await fixture.examine(demo, 'crate', {
      onStep: (step) => {
        if (step !== at) return
        renameSync(file, folder.file(`kept-${times}.db`))
        renameSync(folder.file(`other-${times++}.db`), file)
      },
    })
    const { verdict, failure } = examined.result!
    expect(answers, `${failure?.code}: ${failure?.message}`).toContain(failure?.code ?? verdict)
    expect(examined.stopped).toBeNull()
    await expectUnharmed('crate', examined)
    await unlocked.expect(file)
  })

  it('changes no byte and no time of an idle live set, in whatever state it lies there', async () => {
    for (const tenant of ['delta', 'ember', 'fjord']) {
      const before = footprint(demo.fileOf(tenant))
      const examined = await fixture.examine(demo, tenant)
      expect(examined.result?.verdict, examined.result?.failure?.message).toBe('sound')
      expect(footprint(demo.fileOf(tenant))).toEqual(before)
    }
  })
})
