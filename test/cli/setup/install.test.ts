/** What `install` prints, read by the programs that it is for. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeFolder, type Folder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'

const isThere = (program: string): boolean => spawnSync('which', [program]).status === 0

function configured(folder: Folder, root = 'tenants', more: object = {}): string {
  mkdirSync(folder.in(root), { recursive: true })
  const config = folder.in('holdfast.yaml')
  const settings = {
    service: { name: 'notes.eu', admin: 'unix:/run/notes/admin.sock' },
    tenants: { roots: [folder.in(root)] },
    ...more,
  }
  writeFileSync(config, JSON.stringify(settings), { mode: 0o600 })
  return config
}

test.skipIf(!isThere('systemd-analyze'))(
  'systemd accepts the units, also with a strange folder (skipped without systemd-analyze)',
  async () => {
    using folder = makeFolder()
    const config = configured(folder, 'te nants "%h" $x')
    const units = folder.in('units')
    const { code, stdout } = await holdfast(['install', 'systemd', '--config', config, '--to', units, '--json'])
    expect(code).toBe(0)
    const { written, next } = JSON.parse(stdout) as { readonly written: readonly string[]; readonly next: string[] }
    expect(written).toEqual(
      ['', '-reconcile'].flatMap((name) =>
        ['service', 'timer'].map((kind) => `${units}/holdfast-notes.eu${name}.${kind}`),
      ),
    )
    expect(next.at(-1)).toBe('systemctl enable --now holdfast-notes.eu.timer holdfast-notes.eu-reconcile.timer')
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...written], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
    expect(readFileSync(written[0] ?? '', 'utf8')).toContain(
      String.raw`ReadWritePaths="${folder.in('te nants')} \"%%h\" $x"`,
    )
  },
)

test.skipIf(!isThere('systemd-analyze'))(
  'systemd finds a mistake in a unit (so the test above can fail; skipped without systemd-analyze)',
  () => {
    using folder = makeFolder()
    writeFileSync(folder.in('bad.service'), '[Service]\nExecStart=relative\n')
    expect(spawnSync('systemd-analyze', ['verify', folder.in('bad.service')]).status).not.toBe(0)
  },
)

const hooks = { tenants: ['/bin/true'], quiesce: ['/bin/true', '{tenant}'], resume: ['/bin/true', '{tenant}'] }
test.each([
  ['hooks', { service: { name: 'notes', hooks } }],
  ['an alarm', { alerts: [{ command: ['/usr/sbin/sendmail', '-t'] }] }],
  ['a rule', { check: { invariants: [{ name: 'sums', command: ['/bin/true', '{snapshot}'] }] } }],
])('the unit has no sandbox where %s runs a command of the configuration', async (_, keys) => {
  using folder = makeFolder()
  const config = configured(folder, 'tenants', keys)
  const { stdout } = await holdfast(['install', 'systemd', '--config', config])
  expect(stdout).toContain('ExecStopPost=')
  expect(stdout).not.toContain('ProtectSystem')
  expect(stdout).toContain('# No sandbox: holdfast runs commands of the configuration here')
})

test.skipIf(!isThere('monit'))('monit accepts the check (skipped without monit)', async () => {
  using folder = makeFolder()
  const { stdout } = await holdfast(['install', 'monit', '--config', configured(folder)])
  const file = folder.in('monitrc')
  writeFileSync(file, `set daemon 30\n${stdout}`, { mode: 0o600 })
  const { status, stdout: said, stderr } = spawnSync('monit', ['-t', '-c', file], { encoding: 'utf8' })
  expect([status, said + stderr]).toEqual([0, expect.stringContaining('Control file syntax OK')])
})

test('monit gets no path that it would split', async () => {
  using folder = makeFolder()
  mkdirSync(folder.in('my folder'))
  const config = folder.in('my folder/holdfast.yaml')
  writeFileSync(config, readFileSync(configured(folder)), { mode: 0o600 })
  const { code, stdout, stderr } = await holdfast(['install', 'monit', '--config', config])
  expect([code, stdout]).toEqual([64, ''])
  expect(stderr).toContain('splits commands at spaces')
})

test('cron runs the sweep through a shell, with % escaped', async () => {
  using folder = makeFolder()
  mkdirSync(folder.in('50% done'))
  const config = folder.in('50% done/holdfast.yaml')
  writeFileSync(config, readFileSync(configured(folder)), { mode: 0o600 })
  const { stdout } = await holdfast(['install', 'cron', '--config', config])
  expect(stdout).toContain('# /etc/cron.d/holdfast-notes-eu\n') // cron reads no file with a dot in its name.
  const line = stdout.split('\n').find((one) => one.includes(' sweep '))
  const command = /^17 2 \* \* \* \S+ (.*)$/.exec(line ?? '')?.[1]?.replaceAll(String.raw`\%`, '%')
  const { stdout: words } = spawnSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
  expect(words.split('\n').slice(-5)).toEqual(['sweep', '--quiet', '--config', config, ''])
})

test('the list is asked for each hour, so that a sweep of the night finds a young copy (I2.3, I5.1)', async () => {
  using folder = makeFolder()
  const config = configured(folder)
  const { stdout: cron } = await holdfast(['install', 'cron', '--config', config])
  expect(cron).toMatch(/^47 \* \* \* \* \S+ .* reconcile --quiet --config /m)
  const { stdout: units } = await holdfast(['install', 'systemd', '--config', config])
  expect(units).toMatch(/^ExecStart=.* reconcile --config [^]*^OnCalendar=hourly$/m)
})

test('a file that is there is not replaced, and nothing is written beside it', async () => {
  using folder = makeFolder()
  const config = configured(folder)
  mkdirSync(folder.in('units'))
  writeFileSync(folder.in('units/holdfast-notes.eu.service'), 'mine')
  const { code, stderr } = await holdfast(['install', 'systemd', '--config', config, '--to', folder.in('units')])
  expect(code).toBe(64)
  expect(stderr).toContain('holdfast-notes.eu.service')
  expect(readFileSync(folder.in('units/holdfast-notes.eu.service'), 'utf8')).toBe('mine')
})

const inFleet = (folder: Folder): object => ({ fleet: { database: `pglite:${folder.in('fl eet/db')}`, host: 'db7' } })

test.skipIf(!isThere('systemd-analyze'))(
  'systemd accepts the units of agent, coordinator and both (skipped without systemd-analyze)',
  async () => {
    using folder = makeFolder()
    const config = configured(folder, 'tenants', { ...inFleet(folder), ledger: { dir: folder.in('ledger') } })
    const variants = [
      { words: ['--agent'], name: 'agent', command: 'agent' },
      { words: ['--coordinator'], name: 'coordinator', command: 'coordinator' },
      { words: ['--agent', '--coordinator'], name: 'agent', command: 'agent --coordinator' },
    ]
    for (const [at, { words, name, command }] of variants.entries()) {
      const units = folder.in(`units-${at}`)
      const { code, stdout } = await holdfast([
        'install',
        'systemd',
        ...words,
        '--config',
        config,
        '--to',
        units,
        '--json',
      ])
      expect(code).toBe(0)
      const { written, next } = JSON.parse(stdout) as { readonly written: readonly string[]; readonly next: string[] }
      expect(written).toEqual([`${units}/holdfast-notes.eu-${name}.service`])
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...written], { encoding: 'utf8' })
      expect([status, stderr]).toEqual([0, ''])
      const text = readFileSync(written[0] ?? '', 'utf8')
      expect(text).toContain(` ${command} --config ${config}\n`)
      expect(text).toContain('ProtectSystem=strict')
      expect(text).toContain('RestartPreventExitStatus=64 78')
      expect(next.slice(-2)).toEqual([
        'systemctl daemon-reload',
        `systemctl enable --now holdfast-notes.eu-${name}.service`,
      ])
    }
  },
)

test('an agent resumes what it left paused; a coordinator writes its database alone, and has no rights', async () => {
  using folder = makeFolder()
  const config = configured(folder, 'tenants', { ...inFleet(folder), ledger: { dir: folder.in('ledger') } })
  const unitOf = async (...words: readonly string[]): Promise<string> =>
    (await holdfast(['install', 'systemd', ...words, '--config', config])).stdout
  const agent = await unitOf('--agent')
  expect(agent).toMatch(/^ExecStopPost=.* resume --all --quiet --config /m)
  expect(agent).toContain('KillMode=mixed')
  expect(agent).toContain(`ReadWritePaths=${folder.in('tenants')}`)
  expect(agent).not.toContain('fl eet')
  const coordinator = await unitOf('--coordinator')
  expect(coordinator).not.toContain('ExecStopPost')
  expect(coordinator.match(/^ReadWritePaths=.*$/gm)).toEqual([`ReadWritePaths="${folder.in('fl eet')}"`])
  expect(coordinator).toContain('CapabilityBoundingSet=\n')
  const both = await unitOf('--agent', '--coordinator')
  expect(both).toContain(`ReadWritePaths="${folder.in('fl eet')}"`)
  expect(both).toContain(`ReadWritePaths=${folder.in('tenants')}`)
})

test('a sandbox needs the folders: those that are not there are to be made first', async () => {
  using folder = makeFolder()
  const config = configured(folder, 'tenants', { ...inFleet(folder), ledger: { dir: folder.in('ledger') } })
  const { stderr } = await holdfast(['install', 'systemd', '--coordinator', '--config', config])
  expect(stderr.split('\n')[0]).toMatch(/^holdfast: then run: install -d -m 700 (?:-o \S+ )?'.*fl eet'$/)
})

test('so does the sweep of each night, for folders that holdfast writes; without a sandbox it makes them', async () => {
  using folder = makeFolder()
  const more = { ledger: { dir: folder.in('led ger') }, snapshots: { dir: folder.in('snapshots') } }
  const commands = async (keys: object): Promise<readonly string[]> => {
    const config = configured(folder, 'tenants', { ...more, ...keys })
    const { stdout } = await holdfast(['install', 'systemd', '--config', config, '--json'])
    return (JSON.parse(stdout) as { readonly next: readonly string[] }).next
  }
  const last = [
    'systemctl daemon-reload',
    'systemctl enable --now holdfast-notes.eu.timer holdfast-notes.eu-reconcile.timer',
  ]
  expect(await commands({})).toEqual([
    expect.stringMatching(/^install -d -m 700 (?:-o \S+ )?\S*\/snapshots$/),
    expect.stringMatching(/^install -d -m 700 (?:-o \S+ )?'.*led ger'$/),
    ...last,
  ])
  expect(await commands({ alerts: [{ command: ['/bin/true'] }] })).toEqual(last)
  mkdirSync(folder.in('led ger'))
  mkdirSync(folder.in('snapshots'))
  expect(await commands({})).toEqual(last)
})

test('systemd ends no sweep within its budget, and monit allows the age that the configuration allows', async () => {
  using folder = makeFolder()
  const printed = async (program: string, sweep: object): Promise<string> =>
    (await holdfast(['install', program, '--config', configured(folder, 'tenants', { sweep })])).stdout
  expect(await printed('systemd', {})).toContain('TimeoutStartSec=43200\n')
  expect(await printed('systemd', { budget: '20h' })).toContain('TimeoutStartSec=75600\n')
  expect(await printed('monit', {})).toContain('--format monit --max-age 26h ')
  expect(await printed('monit', { maxAge: '7d' })).toContain('--format monit --max-age 170h ')
})

test('a coordinator whose alarms run commands has no sandbox', async () => {
  using folder = makeFolder()
  const config = configured(folder, 'tenants', { ...inFleet(folder), alerts: [{ command: ['/bin/true'] }] })
  const { stdout } = await holdfast(['install', 'systemd', '--coordinator', '--config', config])
  expect(stdout).not.toContain('ProtectSystem')
})

test('units of a fleet need systemd and fleet.database: 64', async () => {
  using folder = makeFolder()
  const config = configured(folder)
  const without = await holdfast(['install', 'systemd', '--agent', '--config', config])
  expect([without.code, without.stdout]).toEqual([64, ''])
  expect(without.stderr).toContain('fleet.database')
  const cron = await holdfast([
    'install',
    'cron',
    '--agent',
    '--config',
    configured(folder, 'tenants', inFleet(folder)),
  ])
  expect([cron.code, cron.stdout]).toEqual([64, ''])
})
