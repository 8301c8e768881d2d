/** Command lines and configurations that are refused, and the help. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeFolder } from '../support/cli/folder.ts'
import { holdfast, reportIn } from '../support/cli/program.ts'

test.each<[string, readonly string[], RegExp]>([
  ['no command', [], /Usage: holdfast/],
  ['unknown command', ['frobnicate'], /unknown command 'frobnicate'/],
  ['unknown option', ['check', '--frobnicate', 'x.db'], /unknown option '--frobnicate'/],
  ['no files', ['check'], /name the files/],
  ['tenants and files', ['check', 'x.db', '--tenant', 'acme'], /--tenant cannot be used with files/],
  [
    'tenants and --keep-snapshot',
    ['check', '--tenant', 'acme', '--keep-snapshot', 'there'],
    /are for files[^]*holdfast pull/,
  ],
  ['tenants and --snapshots', ['check', '--tenant', 'acme', '--snapshots', 'there'], /are for files/],
  ['tenants and --snapshot', ['check', '--snapshot', '--tenant', 'acme'], /--tenant cannot be used with files/],
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
    /no file nowhere\.db, and no holdfast\.yaml that could name a service with such a tenant/,
  ],
  ['compare of one file with itself', ['compare', '/etc/../etc/hostname', '/etc/hostname'], /one and the same file/],
  ['an option that needs another', ['restore', 'a.db', '--prefer', 'newer'], /next: see `holdfast restore --help`/],
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

test('`help` is 0 as well, for the program, a command and a group; without a command to explain it is 64', async () => {
  const words = [[], ['check'], ['fleet']]
  const [byWord, byOption] = await Promise.all(
    [words.map((named) => ['help', ...named]), words.map((named) => [...named, '--help'])].map((calls) =>
      Promise.all(calls.map((args) => holdfast(args))),
    ),
  )
  expect(byWord).toEqual(byOption)
  const [ofGroup, withJson, unknown, none] = await Promise.all(
    [['fleet', 'help', 'sweep'], ['help', 'check', '--json'], ['help', 'frobnicate'], ['fleet']].map((args) =>
      holdfast(args),
    ),
  )
  expect(ofGroup).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: holdfast fleet sweep/) as string })
  expect(withJson).toEqual(byOption?.[1])
  for (const ran of [unknown, none]) expect(ran).toMatchObject({ code: 64, stdout: '' })
})

test('configuration is 78: none, an unreadable one, and mistakes with line and nearest key', async () => {
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
