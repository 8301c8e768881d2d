/** Exit codes, as other programs rely on them (interfaces.md). */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { damageIndex, makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { gist, holdfast, launcher, reportIn, reportOf } from '../support/cli/program.ts'
import { openService } from '../support/cli/service.ts'
import { makeLyingLocks, noCompiler } from '../support/hold/lying-locks.ts'
import { skipped } from '../support/host/mounts.ts'
import { eventually } from '../support/processes.ts'

test('of several files the gravest code counts: 2, then 1, then 3, then 75; each result has its own', async () => {
  using folder = makeFolder()
  const sound = makeDatabase(folder.in('sound.db'))
  const damaged = makeDatabase(folder.in('damaged.db'))
  damageIndex(damaged)
  const empty = folder.in('empty.db')
  writeFileSync(empty, '')
  const missing = folder.in('missing.db')
  const used = makeDatabase(folder.in('used.db'))
  const holder = new Database(used)
  holder.pragma('user_version')
  try {
    const codeOf = async (...files: string[]): Promise<number> => (await reportOf(['check', ...files])).summary.exitCode
    // One after the other: two runs that check the same file at once find it in use.
    const codes = [
      await codeOf(sound),
      await codeOf(sound, used),
      await codeOf(used, empty),
      await codeOf(empty, missing, used),
    ]
    expect(codes).toEqual([0, 75, 3, 1])
    const all = await reportOf(['check', sound, missing, used, empty, damaged])
    expect(all.summary).toMatchObject({
      selected: 5,
      sound: 1,
      damaged: 1,
      inconclusive: 1,
      failed: 2,
      notCovered: 0,
      exitCode: 2,
    })
    expect(
      Object.fromEntries(all.results.map((result) => [result.path.slice(folder.path.length + 1), gist(result)])),
    ).toEqual({
      'sound.db': 'sound',
      'missing.db': 'failed NOT_FOUND',
      'used.db': 'failed IN_USE',
      'empty.db': 'inconclusive EMPTY_FILE',
      'damaged.db': 'damaged index',
    })
    const inUse = all.results.find(({ path }) => path === used)
    expect(inUse?.evidence.holders.map(({ pid }) => pid)).toContain(process.pid)
  } finally {
    holder.close()
  }
})

test('a lock that another process holds is 75 with LOCK_BUSY or IN_USE, and the holder is named', async () => {
  using folder = makeFolder()
  const holder = new Database(makeDatabase(folder.in('busy.db')))
  holder.exec('BEGIN EXCLUSIVE')
  try {
    const ran = await holdfast(['check', '--json', folder.in('busy.db')])
    const report = reportIn(ran)
    expect(ran.code).toBe(75)
    expect(gist(report.results[0] as never)).toBe('failed LOCK_BUSY')
    expect(JSON.stringify(report.results[0])).toContain(String(process.pid))
  } finally {
    holder.close()
  }
})

test.each<[string, readonly string[], RegExp]>([
  ['no command', [], /Usage: holdfast/],
  ['unknown command', ['frobnicate'], /unknown command 'frobnicate'/],
  ['unknown option', ['check', '--frobnicate', 'x.db'], /unknown option '--frobnicate'/],
  ['no files', ['check'], /name the files/],
  ['tenants and files', ['check', 'x.db', '--tenant', 'acme'], /--tenant goes without files/],
  [
    'tenants and --keep-snapshot',
    ['check', '--tenant', 'acme', '--keep-snapshot', 'there'],
    /go with files[^]*holdfast pull/,
  ],
  ['tenants and --snapshots', ['check', '--tenant', 'acme', '--snapshots', 'there'], /go with files/],
  ['tenants and --snapshot', ['check', '--snapshot', '--tenant', 'acme'], /--tenant goes without files/],
  ['--keep-snapshot with two files', ['check', '--keep-snapshot', '/nonexistent/x', 'a.db', 'b.db'], /--keep-snapshot/],
  ['a depth that is none', ['check', '--depth', 'deepest', 'x.db'], /--depth/],
  ['no workers', ['check', '--workers', '0', 'x.db'], /whole number/],
  ['a timeout that is none', ['check', '--timeout', 'soon', 'x.db'], /duration/],
  ['no time at all', ['check', '--timeout', '0s', 'x.db'], /longer than 0/],
  ['an age that all are older than', ['status', '--max-age', '0h'], /longer than 0/],
  ['resume of nothing named', ['resume'], /--all\n {2}next: `holdfast resume --help`/],
  ['resume of one and all', ['resume', 'acme', '--all'], /--all/],
  ['pull without a folder', ['pull', 'acme'], /missing required argument 'dir'/],
  ['compare of one', ['compare', 'a.db'], /missing required argument 'b'/],
  [
    'compare of a name that nothing has',
    ['compare', '/etc/hostname', 'nowhere.db'],
    /no file nowhere\.db, and no holdfast\.yaml to look for a tenant of that name/,
  ],
  ['compare of one file with itself', ['compare', '/etc/../etc/hostname', '/etc/hostname'], /one and the same file/],
  ['holders of nothing', ['holders'], /missing required argument/],
  ['explain of an unknown word', ['explain', 'row-missing-from-indx'], /row-missing-from-index/],
  ['a status format that is none', ['status', '--format', 'xml'], /--format/],
])('usage is 64, said on stderr: %s', async (_, args, said) => {
  const { code, stdout, stderr } = await holdfast(args, { cwd: '/' })
  expect([code, stdout]).toEqual([64, ''])
  expect(stderr).toMatch(said)
})

test('help is 0, on stdout, with examples and exit codes, for the program and every command', async () => {
  const commands = ['check', 'sweep', 'status', 'history', 'pull', 'compare', 'resume', 'holders', 'doctor', 'explain']
  const helps = await Promise.all(
    [['--help'], ...commands.map((command) => [command, '--help'])].map((args) => holdfast(args)),
  )
  for (const { code, stdout, stderr } of helps) {
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/Examples:\n {2}holdfast [^]*Exit codes: 0/)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    if (stdout !== helps[0]?.stdout)
      for (const option of ['--config', '--json', '--quiet', '--verbose', '--log-level'])
        expect(stdout).toContain(`  ${option} `)
  }
  for (const command of commands) expect(helps[0]?.stdout).toContain(`  ${command} `)
  expect((await holdfast(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('configuration is 78: none, one that cannot be read, and mistakes with their line and the nearest key', async () => {
  using folder = makeFolder()
  const config = folder.in('holdfast.yaml')
  writeFileSync(
    config,
    'service:\n  name: notes\n  admn: unix:/run/x.sock\ntenants: { roots: [/srv] }\nhold:\n  tll: 5s\n',
  )
  writeFileSync(folder.in('broken.yaml'), 'service: [\n')
  mkdirSync(folder.in('empty'))
  const commands = [
    ['sweep'],
    ['check', '--tenant', 'a'],
    ['status'],
    ['history'],
    ['doctor'],
    ['resume', '--all'],
    ['pull', 'a', folder.in('x')],
    ['compare', 'tenant:a', 'tenant:b'],
  ]
  const [missing, mistaken] = await Promise.all([
    Promise.all(commands.map((args) => holdfast(args, { cwd: folder.in('empty') }))),
    Promise.all(commands.map((args) => holdfast(args, { cwd: folder.path }))),
  ])
  for (const { code, stdout, stderr } of missing) {
    expect([code, stdout]).toEqual([78, ''])
    expect(stderr).toMatch(/CONFIG_INVALID.*holdfast\.yaml[^]*next: /)
  }
  for (const { code, stderr } of mistaken) {
    expect(code).toBe(78)
    expect(stderr).toMatch(/holdfast\.yaml:3.*admn[^]*admin/)
    expect(stderr).toMatch(/:6.*tll[^]*ttl/)
  }
  const broken = await holdfast(['sweep', '--config', folder.in('broken.yaml'), '--json'])
  expect([broken.code, reportIn(broken).failure?.code]).toEqual([78, 'CONFIG_INVALID'])
  expect((await holdfast(['check', '--config', folder.in('nowhere.yaml'), folder.in('x.db')])).code).toBe(78)
  expect(existsSync(folder.in('x'))).toBe(false)
})

const onPath = (process.env['PATH'] ?? '')
  .split(':')
  .filter((folder) => isAbsolute(folder))
  .map((folder) => join(folder, 'node'))
const oldNode = [...onPath, '/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  try {
    return /^v(1\d|20|21)\./.test(execFileSync(path, ['--version'], { encoding: 'utf8' }))
  } catch {
    return false
  }
})
test.skipIf(oldNode === undefined)(
  'a Node that is too old is 78 in one line, before anything is ' +
    `loaded${skipped(oldNode === undefined ? 'no Node before 22 is installed' : null)}`,
  () => {
    let status = 0
    let said = ''
    try {
      execFileSync(oldNode as string, [launcher, 'check', '--json', '/nonexistent.db'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    } catch (error) {
      ;({ status, stderr: said } = error as { status: number; stderr: string })
    }
    expect(status).toBe(78)
    expect(said).toMatch(/^holdfast needs Node\.js 22\.15 or newer; this is v\d+\.\d+\.\d+ .*\n$/)
  },
)

test('an unknown tenant and a pattern that matches nothing are 64 and touch nobody', async () => {
  await using service = await openService()
  const runs = [
    ['check', '--tenant', 'acme', 'nobody'],
    ['sweep', '--only', 'a*', 'zzz*'],
    ['pull', 'nobody', service.folder.in('pulled')],
    ['history', 'nobody'],
    ['resume', 'nobody'],
  ]
  for (const args of runs) {
    const ran = await holdfast([...args, '--config', service.config])
    expect([ran.code, ran.stdout], ran.stderr).toEqual([64, ''])
    expect(ran.stderr).toMatch(/TENANT_UNKNOWN: .*(nobody|zzz\*)/)
  }
  const document = reportIn(await holdfast(['sweep', '--only', 'zzz*', '--json', '--config', service.config]))
  expect([document.failure?.code, document.results, document.summary.exitCode]).toEqual(['TENANT_UNKNOWN', [], 64])
  expect(service.deeds).toEqual([])
  expect(existsSync(service.folder.in('pulled'))).toBe(false)
})

test('nothing open for `resume --all` is 0', async () => {
  await using service = await openService()
  const { code, stdout, stderr } = await holdfast(['resume', '--all', '--config', service.config])
  expect([code, stdout]).toEqual([0, 'no tenant is known to be paused (no hold stands open)\n'])
  expect(stderr).toBe(
    `holdfast: ledger: there is no ledger in ${service.ledger}: no hold is known; ` +
      `\`holdfast resume --config ${service.config} ID\` needs none\n`,
  )
})

test(
  'a tenant that is not well after our resume is 4, over the damage found ' +
    'before it; `resume --all` ends what stands open (I1.9)',
  async () => {
    // Which tenant stands still first is not settled: the second one is the one that is not well.
    const closed: string[] = []
    await using service = await openService({
      tenants: (data) =>
        Object.fromEntries(
          ['acme', 'bolt', 'crate'].map((id) => {
            const path = makeDatabase(`${data}/${id}.db`)
            damageIndex(path)
            return [id, path]
          }),
        ),
      healthy: (id) => id !== closed[1],
      onClose: async (id) => {
        closed.push(id)
        const [first, second] = closed
        if (first === undefined || id !== second) return
        // What stops the line ends the checks under way too: the first one's is over only when the ledger has it.
        await eventually(
          `${first} is checked`,
          async () =>
            (await holdfast(['history', first, '--json', '--config', service.config])).stdout.includes(
              '"verdict": "damaged"',
            ),
          30_000,
        )
      },
      limits: { closeMsMax: 40_000 },
      settings: { service: { requestTimeout: '40s' } },
    })
    const ran = await holdfast(['check', '--json', '--tenant', 'acme', 'bolt', 'crate', '--config', service.config])
    const report = reportIn(ran)
    expect(ran.code).toBe(4)
    const [first, second] = closed.map((id) => report.results.find(({ tenant }) => tenant === id))
    // Both proofs of the second one held before it was resumed: its damage is said beside the failure.
    expect([first?.verdict, second?.verdict, second?.failure?.code, second?.failure?.tenantState]).toEqual([
      'damaged',
      'damaged',
      'RESUME_FAILED',
      'maybe-paused',
    ])
    expect(report.run.stopped).toContain('RESUME_FAILED')
    expect([closed.length, report.summary.notCovered]).toEqual([2, 1])
    const status = await holdfast(['status', '--config', service.config])
    expect(status.stdout).toMatch(/PAUSED[^]*holdfast resume --config \S+ --all/)
    const resumed = await holdfast(['resume', '--all', '--config', service.config])
    expect([resumed.code, resumed.stderr]).toEqual([0, expect.stringContaining(`${closed[1]} open; it serves again`)])
  },
)

test.skipIf(noCompiler !== null)(
  `locks that are granted to everyone stop the sweep at the first tenant, which is inconclusive${skipped(noCompiler)}`,
  async () => {
    await using service = await openService({
      tenants: (data) => Object.fromEntries(['acme', 'bolt', 'crate'].map((id) => [id, `${data}/${id}.db`])),
    })
    const ran = await holdfast(['sweep', '--json', '--config', service.config], {
      env: { LD_PRELOAD: makeLyingLocks(service.folder.path) },
    })
    const report = reportIn(ran)
    expect([ran.code, report.results.map(gist), report.summary.notCovered]).toEqual([
      3,
      ['inconclusive LOCK_NOT_HONOURED'],
      2,
    ])
    expect(report.run.stopped).toMatch(
      /^LOCK_NOT_HONOURED: our exclusive lock on .* stands, and yet a second process was granted/,
    )
    const [tenant] = report.results.map((result) => result.tenant)
    expect(service.deeds).toEqual([`close ${tenant}`, `open ${tenant}`])
  },
)

test('a defect in holdfast is 70, says so, and a document names it too', async () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('a.db'))
  writeFileSync(
    folder.in('sabotage.mjs'),
    "import fs from 'node:fs/promises'\nimport { syncBuiltinESMExports } from " +
      "'node:module'\nfs.mkdtemp = async () => { throw new TypeError('sabotage') " +
      '}\nsyncBuiltinESMExports()\n',
  )
  const env = { NODE_OPTIONS: `--import=${folder.in('sabotage.mjs')}` }
  const ran = await holdfast(['check', '--json', file], { env })
  expect([ran.code, reportIn(ran).failure]).toMatchObject([
    70,
    { code: 'BUG', message: 'sabotage', tenantState: 'unknown' },
  ])
  expect(ran.stderr).toMatch(/defect in holdfast \d[^]*TypeError: sabotage/)
})

test('another run on the same service is 75, and the one that runs goes on', async () => {
  const second: Promise<{ code: number | null; stderr: string }>[] = []
  await using service = await openService({
    onClose: async (id) => {
      if (id !== 'acme' || second.length > 0) return
      second.push(holdfast(['sweep', '--config', service.config]))
      await second[0]
    },
  })
  const first = await holdfast(['sweep', '--json', '--config', service.config])
  expect(reportIn(first).summary).toMatchObject({ sound: 2, exitCode: 0 })
  const other = await second[0]
  expect([other?.code, other?.stderr]).toEqual([
    75,
    expect.stringMatching(/RUN_ACTIVE[^]*`holdfast history --config \S+` shows what it has\s+checked\s+so\s+far/),
  ])
})

test('holders: 0 when nobody has the file (3 when that is not sure), 75 when somebody has, 1 when there is no file', async () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('a.db'))
  const nobody = await holdfast(['holders', file])
  expect(nobody.stdout).toContain('No process')
  // 3 where some processes hide their files even from us.
  expect(nobody.code).toBe(nobody.stdout.includes('not checked') ? 3 : 0)
  const holder = new Database(file)
  holder.pragma('user_version')
  try {
    const json = await holdfast(['holders', '--json', file])
    const said = JSON.parse(json.stdout) as { schema: string; holders: { pid: number; modes: string[] }[] }
    expect([json.code, said.schema, said.holders.some(({ pid }) => pid === process.pid)]).toEqual([
      75,
      'holdfast.holders/1',
      true,
    ])
    expect((await holdfast(['holders', file])).stdout).toContain(String(process.pid))
  } finally {
    holder.close()
  }
  const none = await holdfast(['holders', folder.in('none.db')])
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('NOT_FOUND')])
})
