/** Snapshots that outlive their run: `check --snapshot`, `--keep-snapshot`, `pull`, and how a manifest is believed. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { damageIndex, fingerprintOf, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import {
  ending,
  gist,
  holdfast,
  launcher,
  reportIn,
  reportOf,
  single,
  start,
  type Ran,
  type RunOptions,
} from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { bind, mount, skipped, whyNoBind, whyNoMount } from '../../support/host/mounts.ts'

test(
  'check --snapshot locks nothing: it works while somebody writes, ' +
    'sees the committed WAL, and changes neither file',
  async () => {
    using folder = makeFolder()
    const file = makeDatabase(folder.in('app.db'), { wal: true })
    const writer = new Database(file)
    writer.exec("INSERT INTO notes(title) VALUES('only in the WAL'); BEGIN IMMEDIATE")
    try {
      const before = fingerprintOf(folder.path)
      const result = single(await reportOf(['check', '--snapshot', file]))
      expect([
        result.verdict,
        result.evidence.level,
        result.evidence.lock,
        result.evidence.lease,
        result.evidence.proofs,
      ]).toEqual(['sound', 'none', null, null, []])
      expect(result.content.tables.find(({ name }) => name === 'notes')?.rows).toBe(51)
      expect(fingerprintOf(folder.path)).toEqual(before)
      writer.exec('COMMIT')
    } finally {
      writer.close()
    }
  },
)

test(
  'a private copy that is a link is read with the WAL beside the file ' +
    'that it leads to, by its name and in its folder',
  async () => {
    using folder = makeFolder()
    for (const name of ['host', 'box', 'spread', 'farm']) mkdirSync(folder.in(name))
    const writer = new Database(makeDatabase(folder.in('app.db'), { wal: true }))
    writer.exec("INSERT INTO notes(title) VALUES('only in the WAL')")
    for (const part of ['', '-wal']) copyFileSync(folder.in(`app.db${part}`), folder.in(`host/app.db${part}`))
    writer.close()
    symlinkSync('../host/app.db', folder.in('box/latest.db'))
    symlinkSync('box', folder.in('alias'))
    symlinkSync('latest.db', folder.in('box/twice.db'))
    const read = async (...names: readonly string[]): Promise<readonly string[]> =>
      (await reportOf(['check', '--snapshot', ...names], { cwd: folder.path })).results
        .map((result) => `${result.path} ${gist(result)} ${result.content.tables[0]?.rows}`)
        .sort()
    expect(await read('box/latest.db')).toEqual(['box/latest.db sound 51'])
    expect(await read('box', 'alias/latest.db')).toEqual([
      'alias/latest.db sound 51',
      'box/latest.db sound 51',
      'box/twice.db sound 51',
    ])
    // A WAL beside the link, which SQLite would not look at: nobody can say which of the two belongs to the file.
    symlinkSync('../host/app.db', folder.in('spread/link.db'))
    copyFileSync(folder.in('host/app.db-wal'), folder.in('spread/link.db-wal'))
    expect(await read('spread')).toEqual(['spread/link.db failed MANY_NAMES undefined'])
    for (const part of ['', '-wal']) symlinkSync(`../host/app.db${part}`, folder.in(`farm/app.db${part}`))
    expect(await read('farm')).toEqual(['farm/app.db sound 51'])
    const compared = await holdfast(['compare', '--snapshot', 'box/latest.db', 'host/app.db'], { cwd: folder.path })
    expect([compared.code, compared.stderr]).toEqual([64, expect.stringContaining('one and the same file')])
  },
)

test('a pulled copy that is named by a link is recognised by the manifest beside the file itself', async () => {
  using folder = makeFolder()
  await holdfast(['check', '--keep-snapshot', folder.in('kept'), makeDatabase(folder.in('app.db'))])
  mkdirSync(folder.in('box'))
  symlinkSync('../kept/app.db', folder.in('box/link.db'))
  expect(single(await reportOf(['check', '--snapshot', folder.in('box/link.db')])).evidence.level).toBe('sealed')
})

test('a file that was deleted can still be read through the descriptor of who has it open', async () => {
  using folder = makeFolder()
  const file = openSync(makeDatabase(folder.in('app.db')), 'r')
  try {
    rmSync(folder.in('app.db'))
    expect(gist(single(await reportOf(['check', '--snapshot', `/proc/${process.pid}/fd/${file}`])))).toBe('sound')
  } finally {
    closeSync(file)
  }
})

test('a private copy with hard links is told to have other names: a notice, and sound all the same', async () => {
  using folder = makeFolder()
  makeDatabase(folder.in('app.db'))
  linkSync(folder.in('app.db'), folder.in('alias.db'))
  const result = single(await reportOf(['check', '--snapshot', folder.in('alias.db')]))
  expect([result.verdict, result.findings.map(({ rule, severity }) => [rule, severity])]).toEqual([
    'sound',
    [['other-names', 'notice']],
  ])
  expect((await holdfast(['check', '--snapshot', folder.in('alias.db')])).stdout.replaceAll(/\s+/g, ' ')).toContain(
    'other names (it has 2 hard links); a write-ahead log or a journal',
  )
})

const noBind = whyNoBind()

describe.skipIf(noBind !== null)(`a single file that is mounted by itself${skipped(noBind)}`, () => {
  test.each(['app.db', 'app.db-wal', 'a b\\é.db'])(
    '%s: a live file has many names, a private copy a notice',
    async (mounted) => {
      using folder = makeFolder()
      mkdirSync(folder.in('volume'))
      makeDatabase(folder.in('host.db'))
      const main = folder.in(`volume/${mounted.replace(/-wal$/, '')}`)
      copyFileSync(folder.in('host.db'), main)
      writeFileSync(folder.in('empty'), '')
      if (mounted.endsWith('-wal')) writeFileSync(folder.in(`volume/${mounted}`), '')
      using _bound = bind(
        mounted.endsWith('-wal') ? folder.in('empty') : folder.in('host.db'),
        folder.in(`volume/${mounted}`),
      )
      const live = single(await reportOf(['check', main]))
      expect([gist(live), live.failure?.message, live.failure?.hint]).toEqual([
        'failed MANY_NAMES',
        expect.stringContaining('is mounted by itself'),
        expect.stringContaining('mount the folder'),
      ])
      const copy = single(await reportOf(['check', '--snapshot', main]))
      expect([gist(copy), copy.findings.map(({ rule }) => rule)]).toEqual(['sound', ['other-names']])
    },
  )

  test('a folder that is mounted is no such file', async () => {
    using folder = makeFolder()
    mkdirSync(folder.in('host'))
    mkdirSync(folder.in('volume'))
    makeDatabase(folder.in('host/app.db'))
    using _bound = bind(folder.in('host'), folder.in('volume'))
    expect(gist(single(await reportOf(['check', folder.in('volume/app.db')])))).toBe('sound')
  })
})

test('a hot journal beside a private copy is rolled back in a copy of the copy, never in the file', async () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('app.db'), { rows: 400 })
  const writer = new Database(file)
  writer.pragma('cache_size=2')
  writer.pragma('cache_spill=1')
  writer.exec("BEGIN; UPDATE notes SET body = 'half done' || body")
  for (const part of ['', '-journal']) copyFileSync(file + part, folder.in(`copy.db${part}`))
  writer.close()
  const before = fingerprintOf(folder.path)
  const result = single(await reportOf(['check', '--snapshot', folder.in('copy.db')]))
  expect([result.verdict, result.content.tables.find(({ name }) => name === 'notes')?.rows]).toEqual(['sound', 400])
  expect(fingerprintOf(folder.path)).toEqual(before)
})

test(
  '--keep-snapshot leaves the live set with its manifest in a private ' +
    'folder, damaged or not, and overwrites nothing',
  async () => {
    using folder = makeFolder()
    const file = makeDatabase(folder.in('app.db'))
    damageIndex(file)
    const kept = folder.in('kept')
    const ran = await holdfast(['check', '--json', '--keep-snapshot', kept, file])
    const [result] = reportIn(ran).results
    expect([result?.verdict, ran.stderr]).toEqual(['damaged', `kept in ${kept}/app.db\n`])
    expect(readdirSync(kept).sort()).toEqual(['app.db', 'manifest.json'])
    expect([
      statSync(kept).mode & 0o777,
      statSync(join(kept, 'app.db')).mode & 0o777,
      statSync(join(kept, 'manifest.json')).mode & 0o777,
    ]).toEqual([0o700, 0o600, 0o600])
    expect(readFileSync(join(kept, 'app.db'))).toEqual(readFileSync(file))
    const again = await holdfast(['check', '--json', '--keep-snapshot', kept, file])
    expect([again.code, reportIn(again).failure?.code]).toEqual([64, 'USAGE'])
  },
)

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
    // A WAL that was not pulled would change what the database says.
    const stranger = service.folder.in('stranger')
    cpSync(pulled, stranger, { recursive: true })
    const writer = new Database(join(stranger, 'acme.db'))
    writer.exec("INSERT INTO notes(title) VALUES('later')")
    copyFileSync(join(stranger, 'acme.db-wal'), service.folder.in('wal'))
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

test('a manifest that is broken or hostile is as good as none, and breaks nothing', async () => {
  using folder = makeFolder()
  const texts = [
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{"schema":"holdfast.snapshot/1","files":[],"evidence":{}}',
    '{"schema":"holdfast.snapshot/1","files":[null],"evidence":{}}',
    '{"schema":"holdfast.snapshot/1","files":[{"name":"app.db","sha256":7}],"evidence":7}',
    '{"schema":"holdfast.snapshot/1","tenant":{},"files":[{"name":"app.db","sha256":"00"}],"evidence":{"level":"sealed"}}',
  ]
  const files = texts.map((text, i) => {
    mkdirSync(folder.in(String(i)))
    writeFileSync(folder.in(`${i}/manifest.json`), text)
    return makeDatabase(folder.in(`${i}/app.db`))
  })
  const report = await reportOf(['check', '--snapshot', ...files])
  expect(report.results.map((result) => `${gist(result)} ${result.tenant} ${result.evidence.level}`)).toEqual(
    texts.map(() => 'sound null none'),
  )
})

test('a pull into a folder that is not empty overwrites nothing, and the tenant serves', async () => {
  await using service = await openService()
  const folder = service.folder.in('pulled')
  expect((await holdfast(['pull', 'acme', folder, '--config', service.config])).code).toBe(0)
  const before = fingerprintOf(folder)
  const again = await holdfast(['pull', 'acme', folder, '--config', service.config])
  expect([again.code, again.stderr]).toEqual([64, expect.stringContaining('nothing is overwritten')])
  expect(fingerprintOf(folder)).toEqual(before)
  // Nobody stood still for it.
  expect(service.deeds.filter((deed) => deed === 'close acme')).toHaveLength(1)
  expect(service.gate.stateOf('acme')).toBe('active')
  expect(existsSync(service.snapshots) && readdirSync(service.snapshots)).toEqual([])
})

/** Ended by force where it does not end by itself: a program that asks the kernel for ever hears no signal. */
async function endingSoon(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const program = start(args, options)
  const deadline = setTimeout(() => program.kill('SIGKILL'), 20_000)
  try {
    return await ending(program)
  } finally {
    clearTimeout(deadline)
  }
}

test('--quiet says nothing of a snapshot that was kept and is sound', async () => {
  await using service = await openService()
  const { folder, config } = service
  const silent = { code: 0, stdout: '', stderr: '' }
  expect(await holdfast(['pull', 'acme', folder.in('pulled'), '--quiet', '--config', config])).toEqual(silent)
  expect(
    await holdfast(['check', makeDatabase(folder.in('app.db')), '--quiet', '--keep-snapshot', folder.in('kept')]),
  ).toEqual(silent)
  expect([readdirSync(folder.in('pulled')), readdirSync(folder.in('kept'))]).toEqual([
    ['acme.db', 'manifest.json'],
    ['app.db', 'manifest.json'],
  ])
})

test('a folder that the kernel cannot make is refused with its path, wherever one is named', async () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('app.db'))
  // Below /proc the kernel answers that there is no file, although the folder above is there.
  for (const option of ['--keep-snapshot', '--snapshots', '--ledger']) {
    for (const place of ['/proc/holdfast', '/proc/holdfast/below', join(file, 'below'), '']) {
      const ran = await endingSoon(['check', option, place, file])
      expect([1, 64], `${option} ${place}: ${ran.stderr}`).toContain(ran.code)
      expect(ran.stderr).toContain(place)
      expect(ran.stderr).not.toContain('defect')
    }
  }
  expect(readdirSync(folder.path)).toEqual(['app.db'])
})

test('a pull to where no folder can be is refused before its tenant is held, and leaves nothing', async () => {
  await using service = await openService()
  const { folder, config } = service
  writeFileSync(folder.in('file'), '')
  mkdirSync(folder.in('gone'))
  const refused: readonly (readonly [folder: string, code: number, said: string, options?: RunOptions])[] = [
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
    const ran = await endingSoon(['pull', 'acme', place, '--config', config])
    expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(said)])
  }
  // A folder that is no more, with us in it.
  const launch = `cd gone && rmdir ../gone && exec "$NODE" "$LAUNCHER" pull acme here --config "$CONFIG"`
  const lost = spawnSync('sh', ['-c', launch], {
    cwd: folder.path,
    encoding: 'utf8',
    timeout: 20_000,
    env: { PATH: process.env['PATH'], NODE: process.execPath, LAUNCHER: launcher, CONFIG: config },
  })
  expect([lost.status, lost.stderr]).toEqual([
    1,
    expect.stringMatching(/NOT_FOUND: cannot make or write the folder here: .*\n.*the current folder was removed/),
  ])
  expect(service.deeds).toEqual([])
  // What was tried is gone as well, also where the run is refused for another reason.
  expect((await holdfast(['pull', 'nobody', folder.in('new/below'), '--config', config])).code).toBe(64)
  expect(existsSync(folder.in('new'))).toBe(false)
})

test.skipIf(whyNoMount('tmpfs') !== null)(
  `a pull to a read-only file system is refused before its tenant is held${skipped(whyNoMount('tmpfs'))}`,
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
    expect(service.deeds).toEqual([])
  },
)

describe.skipIf(whyNoMount('tmpfs') !== null)(
  `a disk that becomes full while a snapshot is kept${skipped(whyNoMount('tmpfs'))}`,
  () => {
    const full = (place: string): string =>
      `NO_SPACE: cannot make or write the folder ${place}: no space left on device (ENOSPC)`

    test.each([
      ['the copy', -4096],
      ['the manifest', 0],
    ])('%s does not fit: the folder is named, the check is told, and nothing is left', async (_, room) => {
      using folder = makeFolder()
      const file = makeDatabase(folder.in('app.db'), { rows: 400 })
      damageIndex(file)
      using disk = mount('tmpfs', statSync(file).size + room)
      mkdirSync(join(disk.path, 'there'), { mode: 0o700 })
      for (const name of ['there', 'new/below']) {
        const place = join(disk.path, name)
        const ran = await holdfast(['check', '--json', '--keep-snapshot', place, file])
        const report = reportIn(ran)
        expect([gist(single(report)), report.run.stopped, ran.code]).toEqual([
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
      expect([gist(single(report)), report.summary.exitCode]).toEqual(['sound', 1])
    })
  },
)
