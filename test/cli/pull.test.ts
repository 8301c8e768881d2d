/** `pull`: a snapshot of a tenant with its evidence, or a refusal before the tenant is held (I1.11). */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { damageIndex, fingerprintOf, makeDatabase, makeFolder } from '../support/cli/folder.ts'
import {
  shortVerdict,
  holdfast,
  launcher,
  reportIn,
  reportOf,
  single,
  type ProgramOptions,
  holdfastOrKill,
} from '../support/cli/program.ts'
import { openService } from '../support/cli/service.ts'
import { mount, whySkipped, whyNoMount } from '../support/host/mounts.ts'

test(
  'I1.11 a pulled snapshot carries its tenant and its evidence ' +
    'elsewhere; one that was altered on the way has neither',
  async () => {
    await using service = await openService()
    const pulled = service.folder.in('pulled')
    const ran = await holdfast(['pull', 'acme', pulled, '--json', '--config', service.config])
    expect([reportIn(ran).run.mode, single(reportIn(ran)).verdict]).toEqual(['pull', 'sound'])
    expect(ran.stderr).toBe(`pulled to ${pulled}/acme.db\n`)
    const manifest = JSON.parse(readFileSync(join(pulled, 'manifest.json'), 'utf8')) as {
      schema: string
      tenant: string
      files: { name: string }[]
    }
    expect([manifest.schema, manifest.tenant, manifest.files.map(({ name }) => name)]).toEqual([
      'holdfast.snapshot/1',
      'acme',
      readdirSync(pulled)
        .filter((name) => name !== 'manifest.json')
        .sort(),
    ])

    const elsewhere = service.folder.in('elsewhere')
    cpSync(pulled, elsewhere, { recursive: true })
    const recognised = single(await reportOf(['check', '--snapshot', join(elsewhere, 'acme.db')]))
    expect([recognised.tenant, recognised.evidence.level, recognised.evidence.quiesce?.continuous]).toEqual([
      'acme',
      'sealed',
      true,
    ])

    appendFileSync(join(elsewhere, 'acme.db'), Buffer.alloc(4096))
    const altered = single(await reportOf(['check', '--snapshot', join(elsewhere, 'acme.db')]))
    expect([altered.tenant, altered.evidence.level]).toEqual([null, 'none'])
    // A WAL that was not pulled would change the database.
    const written = service.folder.in('written')
    cpSync(pulled, written, { recursive: true })
    const writer = new Database(join(written, 'acme.db'))
    writer.exec("INSERT INTO notes(title) VALUES('later')")
    copyFileSync(join(written, 'acme.db-wal'), service.folder.in('wal'))
    writer.close()
    const grafted = service.folder.in('grafted')
    cpSync(pulled, grafted, { recursive: true })
    copyFileSync(service.folder.in('wal'), join(grafted, 'acme.db-wal'))
    const withWal = single(await reportOf(['check', '--snapshot', join(grafted, 'acme.db')]))
    expect([withWal.tenant, withWal.evidence.level]).toEqual([null, 'none'])
    // Nor does a manifest speak for a file that it does not name.
    copyFileSync(join(pulled, 'acme.db'), join(pulled, 'other.db'))
    expect(single(await reportOf(['check', '--snapshot', join(pulled, 'other.db')])).tenant).toBe(null)
  },
)

test('a pull into a folder that is not empty overwrites nothing, and the tenant serves', async () => {
  await using service = await openService()
  const folder = service.folder.in('pulled')
  expect((await holdfast(['pull', 'acme', folder, '--config', service.config])).code).toBe(0)
  const before = fingerprintOf(folder)
  const again = await holdfast(['pull', 'acme', folder, '--config', service.config])
  expect([again.code, again.stderr]).toEqual([64, expect.stringContaining('nothing is overwritten')])
  expect(fingerprintOf(folder)).toEqual(before)
  // No tenant was paused for it.
  expect(service.actions.filter((action) => action === 'close acme')).toHaveLength(1)
  expect(service.gate.stateOf('acme')).toBe('active')
  expect(existsSync(service.snapshots) && readdirSync(service.snapshots)).toEqual([])
})

test('a pull to a place where no folder can be is refused before its tenant is held, and leaves nothing', async () => {
  await using service = await openService()
  const { folder, config } = service
  writeFileSync(folder.in('file'), '')
  mkdirSync(folder.in('gone'))
  const refused: readonly (readonly [folder: string, code: number, said: string, options?: ProgramOptions])[] = [
    ['', 64, 'USAGE: an empty name is no folder'],
    [
      '/proc/holdfast',
      1,
      'NOT_FOUND: cannot make or write the folder /proc/holdfast: no such file or directory (ENOENT)',
    ],
    [folder.in('file'), 64, `USAGE: ${folder.in('file')} is no folder`],
    [folder.in('file/below'), 64, `USAGE: ${folder.in('file/below')} is no folder`],
    [
      folder.in('n'.repeat(300)),
      1,
      `NOT_FOUND: cannot make or write the folder ${folder.in('n'.repeat(300))}: name too long (ENAMETOOLONG)`,
    ],
  ]
  for (const [place, code, said] of refused) {
    const ran = await holdfastOrKill(['pull', 'acme', place, '--config', config])
    expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(said)])
  }
  // A folder that is no more, with us in it.
  const launch = `cd gone && rmdir ../gone && exec "$NODE" "$LAUNCHER" pull acme here --config "$CONFIG"`
  const lost = spawnSync('sh', ['-c', launch], {
    cwd: folder.path,
    encoding: 'utf8',
    timeout: 240_000,
    env: { PATH: process.env['PATH'], NODE: process.execPath, LAUNCHER: launcher, CONFIG: config },
  })
  expect([lost.status, lost.stderr]).toEqual([
    1,
    expect.stringMatching(/NOT_FOUND: cannot make or write the folder here: .*\n.*the current folder was removed/),
  ])
  expect(service.actions).toEqual([])
  // Folders that were made are removed, also if the run is refused for another reason.
  expect((await holdfast(['pull', 'nobody', folder.in('new/below'), '--config', config])).code).toBe(64)
  expect(existsSync(folder.in('new'))).toBe(false)
})

test.skipIf(whyNoMount('tmpfs') !== null)(
  `a pull to a read-only file system is refused before its tenant is held${whySkipped(whyNoMount('tmpfs'))}`,
  async () => {
    await using service = await openService()
    using disk = mount('tmpfs', 0)
    mkdirSync(join(disk.path, 'there'))
    execFileSync('mount', ['-o', 'remount,ro', disk.path])
    for (const place of ['there', 'new']) {
      const ran = await holdfast(['pull', 'acme', join(disk.path, place), '--config', service.config])
      expect([ran.code, ran.stderr]).toEqual([
        1,
        expect.stringContaining(
          `NO_PERMISSION: cannot make or write the folder ${join(disk.path, place)}: read-only file system (EROFS)`,
        ),
      ])
    }
    expect(service.actions).toEqual([])
  },
)

describe.skipIf(whyNoMount('tmpfs') !== null)(
  `a disk that becomes full while a snapshot is kept${whySkipped(whyNoMount('tmpfs'))}`,
  () => {
    const full = (place: string): string =>
      `NO_SPACE: cannot make or write the folder ${place}: no space left on device (ENOSPC)`

    test.each([
      ['the copy', -4096],
      ['the manifest', 0],
    ])('%s does not fit: the folder is named, the check is reported, and nothing is left', async (_, margin) => {
      using folder = makeFolder()
      const file = makeDatabase(folder.in('app.db'), { rows: 400 })
      damageIndex(file)
      using disk = mount('tmpfs', statSync(file).size + margin)
      mkdirSync(join(disk.path, 'there'), { mode: 0o700 })
      for (const name of ['there', 'new/below']) {
        const place = join(disk.path, name)
        const ran = await holdfast(['check', '--json', '--keep-snapshot', place, file])
        const report = reportIn(ran)
        expect([shortVerdict(single(report)), report.run.stopped, ran.code]).toEqual([
          'damaged index',
          expect.stringContaining(full(place)),
          2,
        ])
        expect(ran.stderr).not.toContain('kept in')
      }
      expect(readdirSync(disk.path, { recursive: true })).toEqual(['there'])
    })

    test('a pull of a sound tenant fails, says where and that it is sound, and the tenant serves', async () => {
      await using service = await openService()
      using disk = mount('tmpfs', 4096)
      const place = join(disk.path, 'pulled')
      const ran = await holdfast(['pull', 'acme', place, '--config', service.config])
      expect([ran.code, ran.stdout]).toEqual([1, expect.stringMatching(/acme +sound/)])
      expect(ran.stdout.replace(/\s+/g, ' ')).toContain(full(place))
      expect([readdirSync(disk.path), service.gate.stateOf('acme')]).toEqual([[], 'active'])
      const report = await reportOf(['pull', 'acme', place, '--config', service.config])
      expect([shortVerdict(single(report)), report.summary.exitCode]).toEqual(['sound', 1])
    })
  },
)
