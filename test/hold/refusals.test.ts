/** What is refused before a tenant is paused (hold/README.md, Security). */
import { execFileSync } from 'node:child_process'
import { appendFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { requirePrivateFolder } from '../../src/hold/snapshot/private-folder.ts'
import { create, fillEvents } from '../support/databases/create-database.ts'
import { openHoldFixture, type ExaminedTenant, type HoldFixture } from '../support/hold/hold-fixture.ts'
import { mount, whySkipped, whyNoMount } from '../support/host/mounts.ts'
import { startOtherProcess, temporaryFolder } from '../support/host/other-process.ts'
import { startDemo, type Demo } from '../support/service/demo-service.ts'

const noTmpfs = whyNoMount('tmpfs')

describe('a hold', () => {
  let fixture: HoldFixture
  let demo: Demo
  beforeAll(async () => {
    fixture = await openHoldFixture()
    demo = await startDemo({ tenants: 3, bytes: 30_000 })
  })
  afterAll(async () => {
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

  describe('refuses, and pauses no tenant:', () => {
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
      expect(said(await fixture.examineBare(make()))).toEqual(answer)
      expect(fixture.remainingFiles()).toEqual([])
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
      const examined = await fixture.examine(demo, 'acme', { named, roots: [demo.dir] })
      rmSync(join(demo.dir, 'way-out.link'), { force: true })
      expect(said(examined)).toEqual(failed('PATH_OUTSIDE_ROOTS'))
      expect(examined.open).toEqual([])
    })

    it.skipIf(noTmpfs !== null)(
      `a file system whose locks are not known, unless its mount is trusted by name${whySkipped(noTmpfs)}`,
      async () => {
        const mounted = join(folder.path, 'ramfs')
        mkdirSync(mounted)
        execFileSync('mount', ['-t', 'ramfs', 'none', mounted])
        try {
          const file = join(mounted, 'a.db')
          create(file, 4096, fillEvents(30))
          expect(said(await fixture.examineBare(file))).toEqual(failed('LOCKS_UNTRUSTED'))
          expect((await fixture.examineBare(file, { settings: { trustMounts: [mounted] } })).result?.verdict).toBe(
            'sound',
          )
        } finally {
          execFileSync('umount', ['-l', mounted])
        }
      },
    )

    it.skipIf(noTmpfs !== null)(`a snapshot folder that has no room${whySkipped(noTmpfs)}`, async () => {
      using small = mount('tmpfs', 4 << 20)
      expect(said(await fixture.examine(demo, 'acme', { folder: small.path }))).toEqual(failed('NO_SPACE'))
    })

    it('a copy that would take longer than the pause may last', async () => {
      appendFileSync(demo.fileOf('crate'), Buffer.alloc(100e6, 1)) // A hole would take no time.
      expect(said(await fixture.examine(demo, 'crate', { settings: { maxPauseMs: 12 } }))).toEqual(
        failed('TOO_LARGE_FOR_PAUSE'),
      )
    })

    it('a pause that is too long even after a warm copy, whose pin and watch are given up', async () => {
      await using busy = await startDemo({ tenants: 1, bytes: 60_000, load: 50 })
      const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
      const before = timers()
      for (let time = 0; time < 4; time++) {
        expect(said(await fixture.examine(busy, 'acme', { settings: { maxPauseMs: 5, warmAboveBytes: 0 } }))).toEqual(
          failed('TOO_LARGE_FOR_PAUSE'),
        )
      }
      expect(timers()).toBeLessThan(before + 4)
    })

    it('a file on which another program has a kernel lease, without waiting for it', async () => {
      const file = database('leased.db')
      await using other = await startOtherProcess()
      expect(await other.do({ do: 'lease', descriptor: await other.open(file, 'write') })).toBe('granted')
      const startedAt = performance.now()
      expect(said(await fixture.examineBare(file))).toEqual(failed('IN_USE', 75))
      expect(performance.now() - startedAt).toBeLessThan(20_000) // The kernel would have it wait for 45 s.
    })

    it('a snapshot folder that others can write into', async () => {
      const open = mkdtempSync(join(tmpdir(), 'holdfast-open-'))
      execFileSync('chmod', ['770', open])
      await expect(requirePrivateFolder(open)).rejects.toMatchObject({ code: 'SNAPSHOT_UNSAFE' })
      rmSync(open, { recursive: true })
    })
  })
})
