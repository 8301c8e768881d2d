/** Folders, several names of one file, and thousands of files on one command line. */
import { once } from 'node:events'
import { copyFileSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync, watch } from 'node:fs'
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { shortVerdict, holdfast, reportIn, reportOf, start } from '../support/cli/program.ts'

test(
  'a folder means the databases in it, and each that looks like one ' +
    'gets a result; an empty folder is a usage error',
  async () => {
    using folder = makeFolder()
    makeDatabase(folder.in('one.db'))
    makeDatabase(folder.in('two.sqlite'), { wal: true })
    makeDatabase(folder.in('no-ending'))
    writeFileSync(folder.in('readme.txt'), 'nothing')
    writeFileSync(folder.in('broken.db'), '')
    mkdirSync(folder.in('nothing'))
    const report = reportIn(await holdfast(['check', '--json', folder.path]))
    expect(
      report.results.map((result) => `${result.path.slice(folder.path.length + 1)} ${shortVerdict(result)}`).sort(),
    ).toEqual(['broken.db inconclusive EMPTY_FILE', 'no-ending sound', 'one.db sound', 'two.sqlite sound'])
    expect(report.summary.exitCode).toBe(3)
    const nothing = await holdfast(['check', '--json', folder.in('nothing')])
    expect([reportIn(nothing).failure?.code, nothing.code]).toEqual(['USAGE', 64])
    expect(nothing.stderr).toContain('holds no database')
  },
)

test(
  'a live file with several names on one command line is checked once, by ' +
    'the first; names that lead nowhere keep a result each',
  async () => {
    using folder = makeFolder()
    mkdirSync(folder.in('data'))
    makeDatabase(folder.in('data/acme.db'))
    makeDatabase(folder.in('data/zeta.db'))
    symlinkSync('zeta.db', folder.in('data/link.db'))
    symlinkSync('data', folder.in('alias'))
    const namesOf = async (...args: readonly string[]): Promise<readonly string[]> =>
      (await reportOf(['check', ...args], { cwd: folder.path })).results
        .map((result) => `${result.path} ${shortVerdict(result)}`)
        .sort()
    expect(await namesOf('data/acme.db', 'data/acme.db', './data/acme.db', 'alias/acme.db')).toEqual([
      'data/acme.db sound',
    ])
    expect(await namesOf('data')).toEqual(['data/acme.db sound', 'data/link.db sound'])
    expect(await namesOf('alias/zeta.db', 'data')).toEqual(['alias/zeta.db sound', 'data/acme.db sound'])
    // Private copies are not held: there each name counts.
    expect(await namesOf('--snapshot', 'data/acme.db', 'alias/acme.db')).toEqual([
      'alias/acme.db sound',
      'data/acme.db sound',
    ])
    expect(await namesOf('gone.db', 'gone.db', 'data/acme.db')).toEqual([
      'data/acme.db sound',
      'gone.db failed NOT_FOUND',
      'gone.db failed NOT_FOUND',
    ])
    // Two names on the disk itself are not two names of the command line.
    linkSync(folder.in('data/acme.db'), folder.in('data/again.db'))
    expect(await namesOf('data')).toEqual([
      'data/acme.db failed MANY_NAMES',
      'data/again.db failed MANY_NAMES',
      'data/link.db sound',
    ])
  },
)

test(
  'five thousand files in one run, most of them no databases: each is held or refused and has ' +
    'its result, and a report of many megabytes is whole though its reader is slow',
  async () => {
    using folder = makeFolder()
    const one = makeDatabase(folder.in('seed'), { rows: 1, pageSize: 512 })
    mkdirSync(folder.in('many'))
    const isDatabase = (i: number): boolean => i % 5 === 0
    const names = Array.from({ length: 5000 }, (_, i) => folder.in(`many/${String(i).padStart(4, '0')}.db`))
    for (const [i, name] of names.entries()) {
      if (isDatabase(i)) copyFileSync(one, name)
      else writeFileSync(name, '')
    }
    const program = start(['check', '--quiet', '--depth', 'quick', '--json', ...names])
    const pieces: Buffer[] = []
    const ended = once(program, 'close')
    const whole = once(program.stdout, 'end')
    // Slow: it takes one piece, then lets the pipe fill again.
    program.stdout.on('data', (piece: Buffer) => {
      pieces.push(piece)
      program.stdout.pause()
      setTimeout(() => program.stdout.resume(), 2)
    })
    await whole
    const [code] = (await ended) as [number]
    const stdout = Buffer.concat(pieces).toString('utf8')
    const report = reportIn({ stdout, stderr: '', code })
    expect(stdout.length).toBeGreaterThan(2_000_000)
    expect([report.summary.selected, report.summary.sound, report.summary.inconclusive, code]).toEqual([
      5000, 1000, 4000, 3,
    ])
    expect(new Set(report.results.map(({ path }) => path)).size).toBe(5000)
    for (const { path, verdict, evidence, failure } of report.results) {
      const i = Number(basename(path, '.db'))
      expect([i, verdict, evidence.level, failure?.code]).toEqual([
        i,
        ...(isDatabase(i) ? ['sound', 'sealed', undefined] : ['inconclusive', 'none', 'EMPTY_FILE']),
      ])
    }
  },
)

test('a file that goes away, and one that is replaced, while the run is on change only their own result', async () => {
  using folder = makeFolder()
  for (let i = 0; i < 40; i++) makeDatabase(folder.in(`${String(i).padStart(2, '0')}.db`), { rows: 20 })
  const snapshots = folder.in('snapshots')
  mkdirSync(snapshots, { mode: 0o700 })
  // The first snapshot shows that the run has begun: then the last files go.
  const watcher = watch(snapshots, { recursive: true }, () => {
    for (const name of ['38.db', '39.db']) rmSync(folder.in(name), { force: true })
  })
  try {
    const report = await reportOf([
      'check',
      '--snapshots',
      snapshots,
      ...Array.from({ length: 40 }, (_, i) => folder.in(`${String(i).padStart(2, '0')}.db`)),
    ])
    const isLast = ({ path }: { readonly path: string }): boolean => /3[89]\.db$/.test(path)
    expect(report.results.filter((result) => !isLast(result)).map(({ verdict }) => verdict)).toEqual(
      Array.from({ length: 38 }, () => 'sound'),
    )
    expect(report.results.filter(isLast).map(shortVerdict)).toEqual(['failed NOT_FOUND', 'failed NOT_FOUND'])
    expect(report.summary.exitCode).toBe(1)
  } finally {
    watcher.close()
  }
})
