/**
 * What ends a hold in the middle: a disk that becomes full, a name that comes to lead elsewhere. The tenant is resumed.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, statSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HoldStep } from '../../src/hold/record.ts'
import { create, fillEvents } from '../support/databases/create-database.ts'
import { footprint, openUnlockedCheck, type UnlockedCheck } from '../support/hold/expect-unlocked.ts'
import {
  openHoldFixture,
  type ExaminedTenant,
  type HoldOptions,
  type HoldFixture,
} from '../support/hold/hold-fixture.ts'
import { mount, whySkipped, whyNoMount } from '../support/host/mounts.ts'
import { temporaryFolder } from '../support/host/other-process.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

const noTmpfs = whyNoMount('tmpfs')

describe('a hold', () => {
  let fixture: HoldFixture
  let demo: Demo
  let unlocked: UnlockedCheck
  beforeAll(async () => {
    fixture = await openHoldFixture()
    demo = await startDemo({ tenants: 3, bytes: 30_000 })
    unlocked = await openUnlockedCheck()
  })
  afterAll(async () => {
    await unlocked[Symbol.asyncDispose]()
    await demo[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })
  let folder: ReturnType<typeof temporaryFolder>
  beforeEach(() => {
    folder = temporaryFolder()
    return () => folder[Symbol.dispose]()
  })

  const database = (name: string): string => {
    create(folder.file(name), 4096, fillEvents(30))
    return folder.file(name)
  }
  const said = ({ result, exitCode, stopped }: ExaminedTenant): unknown => ({
    verdict: result?.verdict,
    code: result?.failure?.code,
    state: result?.failure?.tenantState,
    exitCode,
    stopped,
  })

  describe('ends, and resumes the tenant, when', () => {
    /** Carried out once, when the step is done. */
    const once = (at: HoldStep, work: () => void): HoldOptions => {
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

    it.skipIf(noTmpfs !== null)(`the disk becomes full while it copies${whySkipped(noTmpfs)}`, async () => {
      using small = mount('tmpfs', 40 << 20)
      const filler = join(small.path, 'filler')
      const examined = await fixture.examine(demo, 'bolt', {
        folder: small.path,
        ...once('proven', () => fillDisk(filler)),
      })
      expect(said(examined)).toEqual({
        verdict: 'inconclusive',
        code: 'NO_SPACE',
        state: 'active',
        exitCode: 3,
        stopped: null,
      })
      expect(execFileSync('ls', [small.path], { encoding: 'utf8' })).toBe('filler\n')
      expect((await demo.status('bolt')).state).toBe('active')
      await unlocked.expect(demo.fileOf('bolt'))
    })

    it.skipIf(noTmpfs !== null)(
      `the disk becomes full during the warm copy: the tenant was not paused, and no lock is left` +
        whySkipped(noTmpfs),
      async () => {
        using small = mount('tmpfs', 40 << 20)
        const filler = join(small.path, 'filler')
        const fill = (): void => {
          fillDisk(filler)
          truncateSync(filler, statSync(filler).size - 16_384) // Room for names, and for a part of the copy.
        }
        const examined = await fixture.examine(demo, 'bolt', {
          folder: small.path,
          settings: { warmAboveBytes: 0 },
          ...once('preflight', fill),
        })
        expect(said(examined)).toEqual({
          verdict: 'failed',
          code: 'NO_SPACE',
          state: 'untouched',
          exitCode: 1,
          stopped: null,
        })
        expect(execFileSync('ls', [small.path], { encoding: 'utf8' })).toBe('filler\n')
        await unlocked.expect(demo.fileOf('bolt'))
      },
    )

    it('a part of the live set is replaced by a symbolic link before it is opened', async () => {
      const file = demo.fileOf('acme')
      const secret = database('secret.db')
      const before = footprint(secret)
      const examined = await fixture.examine(demo, 'acme', {
        roots: [demo.dir],
        ...once('quiesced', () => {
          renameSync(file, `${file}.kept`)
          symlinkSync(secret, file)
        }),
      })
      unlinkSync(file)
      renameSync(`${file}.kept`, file)
      expect(said(examined)).toEqual({
        verdict: 'inconclusive',
        code: 'MANY_NAMES',
        state: 'active',
        exitCode: 3,
        stopped: null,
      })
      expect(footprint(secret)).toEqual(before)
      expect(examined.open).toEqual([])
    })

    it('the folder above it is replaced by a symbolic link that leads out of the roots', async () => {
      const root = folder.file('root')
      const away = folder.file('away')
      for (const dir of [root, away]) {
        mkdirSync(join(dir, 'data'), { recursive: true })
        create(join(dir, 'data', 'acme.db'), 4096, fillEvents(30))
      }
      await using other = await startDemo({ dir: join(root, 'data') })
      const before = footprint(join(away, 'data', 'acme.db'))
      const swap = once('quiesced', () => {
        renameSync(join(root, 'data'), join(root, 'kept'))
        symlinkSync(join(away, 'data'), join(root, 'data'))
      })
      const examined = await fixture.examine(other, 'acme', { roots: [root], ...swap })
      expect(said(examined)).toMatchObject({ verdict: 'inconclusive', code: 'PATH_OUTSIDE_ROOTS', state: 'active' })
      expect(footprint(join(away, 'data', 'acme.db'))).toEqual(before)
    })
  })
})

/** Fills the disk to its last byte. */
function fillDisk(file: string): void {
  try {
    for (let bytes = Buffer.alloc(1 << 20); ;) writeFileSync(file, bytes, { flag: 'a' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}
