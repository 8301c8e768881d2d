/**
 * `holdfast compare` of sides with several database files (I3.2): which are paired, which tenants are paused, and what
 * all of them come to.
 */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import {
  comparisonIn,
  comparisonOf,
  shortComparison,
  shortComparisons,
  onlyFileIn,
  validateComparison,
} from '../../support/cli/comparison.ts'
import { damageIndex, fingerprintOf, makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { longPattern } from '../../support/cli/long-pattern.ts'
import { resultOf, holdfast, reportOf, start, type RunningProgram } from '../../support/cli/program.ts'
import { openService, type TestService, type TestServiceOptions } from '../../support/cli/service.ts'

function changeIn(path: string, sql: string): void {
  const database = new Database(path)
  database.exec(sql)
  database.close()
}

/** A service with a tenant `many` of these files, and `bolt` of one. */
const openMany = (names: readonly string[], wishes: Omit<TestServiceOptions, 'tenants'> = {}): Promise<TestService> =>
  openService({
    ...wishes,
    tenants: (data) => ({ many: names.map((name) => join(data, name)), bolt: join(data, 'bolt.db') }),
  })

const holdsOf = ({ actions }: TestService): number => actions.filter((action) => action === 'close many').length

test(
  'a tenant of several files against what was pulled of it, which `check` finds in its folders too: ' +
    'each is held, checked, compared and remembered; of a single file only the counterpart',
  async () => {
    await using service = await openMany(['main.db', 'search.db'])
    const config = ['--config', service.config]
    const pulled = service.folder.in('pulled')
    expect((await holdfast(['pull', 'many', pulled, ...config])).code).toBe(0)
    changeIn(join(service.data, 'search.db'), "UPDATE notes SET title = 'later' WHERE id = 3")
    expect(holdsOf(service)).toBe(1)

    const checked = await reportOf(['check', '--snapshot', pulled])
    expect(checked.results.map(({ tenant, verdict, evidence }) => [tenant, verdict, evidence.level])).toEqual([
      ['many', 'sound', 'sealed'],
      ['many', 'sound', 'sealed'],
    ])
    const report = await comparisonOf(['--snapshot', pulled, 'many', ...config])
    expect(shortComparisons(report).toSorted()).toEqual([
      'differ 5',
      'main.db equal sound / sound',
      'search.db differs sound / sound',
    ])
    expect([report.sides, report.run.registry]).toEqual([
      { a: { given: pulled, kind: 'copy' }, b: { given: 'many', kind: 'tenant' } },
      'live',
    ])
    for (const { name, paths, results } of report.files) {
      // Pulled copies are recognised by the manifests in their folders; the tenant's own went through a hold.
      expect([
        paths.b,
        results.a?.tenant,
        results.a?.evidence.level,
        results.b?.tenant,
        results.b?.evidence.quiesce?.continuous,
      ]).toEqual([join(service.data, name), 'many', 'sealed', 'many', true])
    }
    expect(
      report.files.flatMap(({ tables }) => tables.flatMap(({ differing }) => differing?.different.keys ?? [])),
    ).toEqual([3])
    const stoodStill = report.files.map(({ results }) => results.b?.evidence.quiesce?.leaseId)
    expect([holdsOf(service), new Set(stoodStill).size, readdirSync(service.snapshots)]).toEqual([2, 1, []])

    // A file by itself asks for its counterpart only, wherever it lies: the other file of the tenant is left alone.
    const [file = ''] = report.files.flatMap(({ name, paths }) => (name === 'search.db' ? [paths.a ?? ''] : []))
    const single = await comparisonOf(['many', file, ...config])
    expect([shortComparison(single), onlyFileIn(single).paths]).toEqual([
      'differ sound / sound 5',
      { a: join(service.data, 'search.db'), b: file },
    ])
    expect(service.actions.slice(4)).toEqual(['close many', 'open many'])
    const refused = await holdfast(['compare', 'many', './other.db', ...config])
    expect([refused.code, refused.stderr, holdsOf(service)]).toEqual([
      64,
      expect.stringMatching(
        /many has 2 database files, and none is called other\.db: main\.db, search\.db\n {2}next: \w/,
      ),
      3,
    ])

    const history = (await holdfast(['history', 'many', '--json', ...config])).stdout
    expect(JSON.stringify(JSON.parse(history)).match(/"verdict":"sound"/g)).toHaveLength(5)
  },
)

test(
  'folder against folder: what differs, is damaged, cannot be read or is only on ' +
    'one side is reported of each file, and the gravest is the exit code',
  async () => {
    using folder = makeFolder()
    const names = ['a', 'b'].map((name) => folder.in(name)) as [string, string]
    for (const side of names) {
      mkdirSync(side)
      for (const name of ['broken.db', 'keys.db', 'more-keys.db', 'same.db', 'text.db']) makeDatabase(join(side, name))
    }
    const [a, b] = names
    damageIndex(join(a, 'broken.db'))
    changeIn(join(a, 'broken.db'), 'DROP TABLE hidden')
    for (const name of ['keys.db', 'more-keys.db']) changeIn(join(b, name), 'DELETE FROM notes WHERE id = 7')
    writeFileSync(join(b, 'text.db'), 'no database at all '.repeat(300))
    makeDatabase(join(a, 'gone.db'))
    makeDatabase(join(b, `new \u001b[31m${'long '.repeat(20)}.db`))
    const before = names.map(fingerprintOf)
    const report = await comparisonOf([a, b, '--redact-keys'])
    expect(shortComparisons(report)).toEqual([
      'differ 2',
      'broken.db equal damaged / sound',
      'gone.db only-in-a none / none',
      'keys.db differs sound / sound',
      'more-keys.db differs sound / sound',
      'same.db equal sound / sound',
      'text.db not-compared sound / inconclusive NOT_SQLITE',
      `new \u001b[31m${'long '.repeat(20)}.db only-in-b none / none`,
    ])
    expect(report.summary).toEqual({
      files: { total: 7, equal: 2, differing: 2, onlyInA: 1, onlyInB: 1, notCompared: 1 },
      tables: { total: 4, equal: 2, differing: 2, onlyInA: 0, onlyInB: 0, notCompared: 0 },
      rowsDiffering: 2,
      schemaDifferences: 0,
      exitCode: 2,
    })
    expect(report.files.map(({ why }) => why)).toEqual([null, null, null, null, null, 'B could not be read', null])
    // The same key has the same digest in every file.
    const digests = report.files.flatMap(({ tables }) =>
      tables.flatMap(({ differing }) => differing?.onlyInA.keys ?? []),
    )
    expect([digests.length, new Set(digests).size, digests[0]]).toEqual([
      2,
      1,
      expect.stringMatching(/^hmac:[0-9a-f]{16}$/),
    ])
    const text = await holdfast(['compare', '--snapshot', a, b], { env: { COLUMNS: '80' } })
    expect([text.code, text.stderr]).toEqual([2, ''])
    expect(text.stdout).toMatch(
      longPattern(
        /^A {2}folder of private copies [^]*\nFile broken\.db: equal\n[^]*DAMAGED[^]*\nFile /,
        /gone\.db: ONLY IN A\n[^]*not read\nB {2}has no such file\n[^]*\nFile\nnew /,
        /\\e\[31mlong [^]*7 files: 2 equal, 2 differing[^]*Exit code 2: damage found\.\n$/,
      ),
    )
    // eslint-disable-next-line no-control-regex
    expect(text.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/)
    expect(
      text.stdout
        .split('\n')
        .filter(
          (line) =>
            line.length > 80 && line.includes(' ') && !line.startsWith('    holdfast ') && !line.includes('long long'),
        ),
    ).toEqual([])
    expect(names.map(fingerprintOf)).toEqual(before)

    const [, gone, keys] = report.files
    const wrong = [
      { ...report, outcome: 'equal' },
      { ...report, outcome: 'inconclusive' },
      { ...report, files: [{ ...gone, comparison: 'only-in-b' }] },
      { ...report, files: [{ ...gone, comparison: 'equal' }] },
      { ...report, files: [{ ...keys, comparison: 'equal' }] },
      { ...report, files: [{ ...keys, comparison: 'only-in-a' }] },
    ]
    expect(wrong.map((document) => validateComparison(document))).toEqual(wrong.map(() => false))
  },
)

test('interrupted in the hold: each file is reported as not compared, and the tenant serves again', async () => {
  let program: RunningProgram | null = null
  await using service = await openMany(['main.db', 'search.db'], { onClose: () => void program?.kill('SIGTERM') })
  const copies = service.folder.in('copies')
  mkdirSync(copies)
  for (const name of ['main.db', 'search.db', 'later.db']) makeDatabase(join(copies, name))
  program = start(['compare', copies, 'many', '--json', '--config', service.config])
  const ran = await resultOf(program)
  const report = comparisonIn(ran)
  expect([shortComparisons(report), report.failure?.code, report.files[2]?.why], ran.stderr).toEqual([
    [
      'differ 143',
      'later.db only-in-a none / none',
      'main.db not-compared none / none',
      'search.db not-compared none / none',
    ],
    'INTERRUPTED',
    expect.stringMatching(/the run ended/),
  ])
  expect([service.gate.stateOf('many'), service.actions, readdirSync(service.snapshots)]).toEqual([
    'active',
    ['close many', 'open many'],
    [],
  ])
})

test('a tenant that is not seen serving after its first hold is held once: 4', async () => {
  let closed = false
  await using service = await openMany(['main.db', 'search.db'], {
    onClose: () => void (closed = true),
    healthy: () => !closed,
  })
  const copies = service.folder.in('copies')
  mkdirSync(copies)
  for (const name of ['main.db', 'search.db']) makeDatabase(join(copies, name))
  const ran = await holdfast(['compare', 'many', copies, '--json', '--config', service.config])
  const report = comparisonIn(ran)
  expect([shortComparisons(report), report.failure?.code, report.failure?.tenantState]).toEqual([
    ['inconclusive 4', 'main.db not-compared inconclusive RESUME_FAILED / sound', 'search.db not-compared none / none'],
    'RESUME_FAILED',
    'maybe-paused',
  ])
  expect([ran.stderr, holdsOf(service)]).toEqual([expect.stringMatching(/PAUSED[^]*next: .*holdfast resume/), 1])
})

test('a tenant without files, or with two of one name, is refused with a hint and never paused: 64', async () => {
  using folder = makeFolder()
  const a = makeDatabase(folder.in('a.db'))
  mkdirSync(folder.in('more'))
  copyFileSync(a, folder.in('more/a.db'))
  const program = folder.in('notesctl')
  const tenants = [
    { id: 'twice', files: [a, folder.in('more/a.db')] },
    { id: 'none', files: [] },
  ]
  writeFileSync(
    program,
    `#!${process.execPath}\nif (process.argv[2] !== 'tenants') ` +
      `require('node:fs').writeFileSync(${JSON.stringify(folder.in('asked'))}, ` +
      `'')\nconsole.log(${JSON.stringify(JSON.stringify(tenants))})\n`,
    { mode: 0o755 },
  )
  for (const name of ['snapshots', 'ledger']) mkdirSync(folder.in(name), { mode: 0o700 })
  const hooks = {
    tenants: [program, 'tenants'],
    quiesce: [program, 'pause', '{tenant}'],
    resume: [program, 'resume', '{tenant}'],
  }
  const settings = {
    service: { name: 'notes', hooks },
    tenants: { roots: [folder.path] },
    snapshots: { dir: folder.in('snapshots') },
    ledger: { dir: folder.in('ledger') },
  }
  writeFileSync(folder.in('holdfast.yaml'), JSON.stringify(settings), { mode: 0o600 })
  for (const [id, said] of [
    ['twice', /twice has several database files called a\.db[^]*next: `holdfast pull`/],
    ['none', /without any database file[^]*next: \w/],
  ] as const) {
    const ran = await holdfast(['compare', id, a], { cwd: folder.path })
    expect([ran.code, ran.stderr]).toEqual([64, expect.stringMatching(said)])
  }
  expect(readdirSync(folder.path)).not.toContain('asked')
})
