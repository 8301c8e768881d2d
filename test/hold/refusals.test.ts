/**
 * Step 0 and hold/README.md, Security: what is refused before anybody is paused, and what runs out of room in the
 * middle.
 */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HoldStep } from '../../src/hold/record.ts'
import { requirePrivateFolder } from '../../src/hold/snapshot/private-folder.ts'
import { create, fillEvents } from '../support/databases/create-database.ts'
import { footprint, openFreedom, type Freedom } from '../support/hold/expect-unlocked.ts'
import { openWorkplace, type Examined, type HoldOptions, type Workplace } from '../support/hold/hold-fixture.ts'
import { mount, skipped, whyNoMount } from '../support/host/mounts.ts'
import { startOtherProcess, temporaryFolder } from '../support/host/other-process.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

const noTmpfs = whyNoMount('tmpfs')

describe('a hold', () => {
  let place: Workplace
  let demo: Demo
  let freedom: Freedom
  beforeAll(async () => {
    place = await openWorkplace()
    demo = await startDemo({ tenants: 3, bytes: 30_000 })
    freedom = await openFreedom()
  })
  afterAll(async () => {
    await freedom[Symbol.asyncDispose]()
    await demo[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
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
  const said = ({ result, exitCode, stopped }: Examined): unknown => ({
    verdict: result?.verdict,
    code: result?.failure?.code,
    state: result?.failure?.tenantState,
    exitCode,
    stopped,
  })
  const failed = (code: string, exitCode = 1): unknown => ({
    verdict: 'failed',
    code,
    state: 'untouched',
    exitCode,
    stopped: null,
  })
  const inconclusive = (code: string): unknown => ({
    verdict: 'inconclusive',
    code,
    state: 'untouched',
    exitCode: 3,
    stopped: null,
  })

  describe('refuses, and pauses nobody:', () => {
    it.each<readonly [string, () => string, unknown]>([
      ['a file that is not there', () => folder.file('none.db'), failed('NOT_FOUND')],
      ['a path with a zero byte', () => 'a\0b', failed('NOT_FOUND')],
      ['a folder', () => folder.path, failed('NOT_A_FILE')],
      ['a device', () => '/dev/zero', failed('NOT_A_FILE')],
      [
        'a named pipe',
        () => {
          execFileSync('mkfifo', [folder.file('pipe.db')])
          return folder.file('pipe.db')
        },
        failed('NOT_A_FILE'),
      ],
      [
        'an empty file',
        () => {
          writeFileSync(folder.file('empty.db'), '')
          return folder.file('empty.db')
        },
        inconclusive('EMPTY_FILE'),
      ],
      [
        'a file that is no database',
        () => {
          writeFileSync(folder.file('text.db'), 'this is not a database, not at all. '.repeat(100))
          return folder.file('text.db')
        },
        inconclusive('NOT_SQLITE'),
      ],
      [
        'a database with a second name',
        () => {
          const file = database('one.db')
          linkSync(file, folder.file('other.db'))
          return file
        },
        failed('MANY_NAMES'),
      ],
      [
        'a WAL that is a symbolic link',
        () => {
          const file = database('linked-wal.db')
          writeFileSync(folder.file('elsewhere'), '')
          symlinkSync(folder.file('elsewhere'), `${file}-wal`)
          return file
        },
        failed('MANY_NAMES'),
      ],
      [
        'a symbolic link with a journal of its own',
        () => {
          mkdirSync(folder.file('there'))
          const file = database('there/real.db')
          symlinkSync(file, folder.file('link.db'))
          writeFileSync(`${folder.file('link.db')}-journal`, 'x')
          return folder.file('link.db')
        },
        failed('MANY_NAMES'),
      ],
    ])('%s', async (_, make, answer) => {
      expect(said(await place.examineBare(make()))).toEqual(answer)
      expect(place.leftovers()).toEqual([])
    })

    it.each<readonly [string, (outside: string) => string]>([
      ['a path outside the roots', (outside) => outside],
      [
        'a path that climbs out of them',
        (outside) => join(demo.dir, '..', '..', basename(join(outside, '..')), basename(outside)),
      ],
      [
        'a symbolic link that leads out of them',
        (outside) => {
          const link = join(demo.dir, 'way-out.link')
          symlinkSync(outside, link)
          return link
        },
      ],
    ])('%s, whatever the service says', async (_, name) => {
      const named = name(database('outside.db'))
      const examined = await place.examine(demo, 'acme', { named, roots: [demo.dir] })
      rmSync(join(demo.dir, 'way-out.link'), { force: true })
      expect(said(examined)).toEqual(failed('PATH_OUTSIDE_ROOTS'))
      expect(examined.open).toEqual([])
    })

    it.skipIf(noTmpfs !== null)(
      `a file system whose locks are not known, unless its mount is trusted by name${skipped(noTmpfs)}`,
      async () => {
        const mounted = join(folder.path, 'ramfs')
        mkdirSync(mounted)
        execFileSync('mount', ['-t', 'ramfs', 'none', mounted])
        try {
          const file = join(mounted, 'a.db')
          create(file, 4096, fillEvents(30))
          expect(said(await place.examineBare(file))).toEqual(failed('LOCKS_UNTRUSTED'))
          expect((await place.examineBare(file, { settings: { trustMounts: [mounted] } })).result?.verdict).toBe(
            'sound',
          )
        } finally {
          execFileSync('umount', ['-l', mounted])
        }
      },
    )

    it.skipIf(noTmpfs !== null)(`a snapshot folder that has no room${skipped(noTmpfs)}`, async () => {
      using small = mount('tmpfs', 4 << 20)
      expect(said(await place.examine(demo, 'acme', { folder: small.path }))).toEqual(failed('NO_SPACE'))
    })

    it('a copy that would take longer than the pause may last', async () => {
      appendFileSync(demo.fileOf('crate'), Buffer.alloc(100e6, 1)) // A hole would take no time.
      expect(said(await place.examine(demo, 'crate', { settings: { maxPauseMs: 12 } }))).toEqual(
        failed('TOO_LARGE_FOR_PAUSE'),
      )
    })

    it('a pause that is too long even after a warm copy, whose pin and watch are given up', async () => {
      await using busy = await startDemo({ tenants: 1, bytes: 60_000, load: 50 })
      const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
      const before = timers()
      for (let time = 0; time < 4; time++) {
        expect(said(await place.examine(busy, 'acme', { settings: { maxPauseMs: 5, warmAboveBytes: 0 } }))).toEqual(
          failed('TOO_LARGE_FOR_PAUSE'),
        )
      }
      expect(timers()).toBeLessThan(before + 4)
    })

    it('a file on which somebody else has a kernel lease, without waiting for it', async () => {
      const file = database('leased.db')
      await using stranger = await startOtherProcess()
      expect(await stranger.do({ do: 'lease', descriptor: await stranger.open(file, 'write') })).toBe('granted')
      const startedAt = performance.now()
      expect(said(await place.examineBare(file))).toEqual(failed('IN_USE', 75))
      expect(performance.now() - startedAt).toBeLessThan(5_000)
    })

    it('a snapshot folder that others can write into', async () => {
      const open = mkdtempSync(join(tmpdir(), 'holdfast-open-'))
      execFileSync('chmod', ['770', open])
      await expect(requirePrivateFolder(open)).rejects.toMatchObject({ code: 'SNAPSHOT_UNSAFE' })
      rmSync(open, { recursive: true })
    })
  })

  describe('gives up, and resumes, when', () => {
    /** Carried out once, when the step is done. */
    const once = (at: HoldStep, deed: () => void): HoldOptions => {
      let done = false
      return {
        onStep: (step) => {
          if (step === at && !done) {
            done = true
            deed()
          }
        },
      }
    }

    it.skipIf(noTmpfs !== null)(`the disk becomes full while it copies${skipped(noTmpfs)}`, async () => {
      using small = mount('tmpfs', 40 << 20)
      const filler = join(small.path, 'filler')
      const examined = await place.examine(demo, 'bolt', {
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
      await freedom.expect(demo.fileOf('bolt'))
    })

    it.skipIf(noTmpfs !== null)(
      `the disk becomes full during the warm copy: nobody stood still, and no lock is left${skipped(noTmpfs)}`,
      async () => {
        using small = mount('tmpfs', 40 << 20)
        const filler = join(small.path, 'filler')
        const fill = (): void => {
          fillDisk(filler)
          truncateSync(filler, statSync(filler).size - 16_384) // Room for names, and for a part of the copy.
        }
        const examined = await place.examine(demo, 'bolt', {
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
        await freedom.expect(demo.fileOf('bolt'))
      },
    )

    it('a part of the live set is swapped for a symbolic link between look and open', async () => {
      const file = demo.fileOf('acme')
      const secret = database('secret.db')
      const before = footprint(secret)
      const examined = await place.examine(demo, 'acme', {
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

    it('the folder above it is swapped for a symbolic link that leads out of the roots', async () => {
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
      const examined = await place.examine(other, 'acme', { roots: [root], ...swap })
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
