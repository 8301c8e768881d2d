/** `check --snapshot`: private copies are read as they are, and nothing is locked. */
import { closeSync, copyFileSync, linkSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { fingerprintOf, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { shortVerdict, holdfast, reportOf, single } from '../../support/cli/program.ts'
import { bind, whySkipped, whyNoBind } from '../../support/host/mounts.ts'

test(
  'check --snapshot locks nothing: it works while a program writes, ' +
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
        .map((result) => `${result.path} ${shortVerdict(result)} ${result.content.tables[0]?.rows}`)
        .sort()
    expect(await read('box/latest.db')).toEqual(['box/latest.db sound 51'])
    expect(await read('box', 'alias/latest.db')).toEqual([
      'alias/latest.db sound 51',
      'box/latest.db sound 51',
      'box/twice.db sound 51',
    ])
    // A WAL beside the link, which SQLite would not open: which of the two belongs to the file is not known.
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

test('a file that was deleted can still be read through the descriptor of a process that has it open', async () => {
  using folder = makeFolder()
  const file = openSync(makeDatabase(folder.in('app.db')), 'r')
  try {
    rmSync(folder.in('app.db'))
    expect(shortVerdict(single(await reportOf(['check', '--snapshot', `/proc/${process.pid}/fd/${file}`])))).toBe(
      'sound',
    )
  } finally {
    closeSync(file)
  }
})

test('a private copy with hard links is sound, with a notice that it has other names', async () => {
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

describe.skipIf(noBind !== null)(`a single file that is mounted by itself${whySkipped(noBind)}`, () => {
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
      expect([shortVerdict(live), live.failure?.message, live.failure?.hint]).toEqual([
        'failed MANY_NAMES',
        expect.stringContaining('is mounted by itself'),
        expect.stringMatching(/^(?:run the command for .*host\.db,|mount the folder)/),
      ])
      const copy = single(await reportOf(['check', '--snapshot', main]))
      expect([shortVerdict(copy), copy.findings.map(({ rule }) => rule)]).toEqual(['sound', ['other-names']])
    },
  )

  test('a mounted folder is not refused', async () => {
    using folder = makeFolder()
    mkdirSync(folder.in('host'))
    mkdirSync(folder.in('volume'))
    makeDatabase(folder.in('host/app.db'))
    using _bound = bind(folder.in('host'), folder.in('volume'))
    expect(shortVerdict(single(await reportOf(['check', folder.in('volume/app.db')])))).toBe('sound')
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
