/**
 * An error of the system is a failure with path, errno in words and fitting advice, whatever the command. It is never a
 * defect (70).
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeDatabase, makeFolder, type Folder } from '../support/cli/folder.ts'
import { openHookedService } from '../support/cli/hooked-service.ts'
import {
  resultOf,
  launcher,
  otherUser,
  whyNoOtherUser,
  type RunningProgram,
  type ProgramResult,
  type ProgramOptions,
} from '../support/cli/program.ts'
import { mount, whySkipped, whyNoMount } from '../support/host/mounts.ts'

/** A shell line with holdfast as `HF`: limits, masks and streams are set as a person sets them. */
function startShell(line: string, { cwd, env, as }: ProgramOptions): RunningProgram {
  const path = process.env['PATH'] ?? ''
  const all = { PATH: path, HOME: '/nonexistent', NODE: process.execPath, LAUNCHER: launcher, ...env }
  const script = `HF() { "$NODE" "$LAUNCHER" "$@"; }; ${line}`
  return spawn('bash', ['-c', script], { env: all, cwd, stdio: ['ignore', 'pipe', 'pipe'], ...as })
}
const shell = (line: string, more: ProgramOptions = {}): Promise<ProgramResult> => resultOf(startShell(line, more))
/** As one line: reports are broken at 80 columns. */
const inOneLine = ({ stdout, stderr }: ProgramResult): string => `${stdout} ${stderr}`.replaceAll(/\s+/g, ' ')
const including = (text: string): string => expect.stringContaining(text) as string
const matching = (pattern: RegExp | string): string => expect.stringMatching(pattern) as string

/** Its service is never asked for anything. */
function configured(folder: Folder, ledger = folder.in('ledger')): string {
  const config = folder.in('holdfast.yaml')
  for (const name of ['data', 'snapshots']) mkdirSync(folder.in(name), { mode: 0o700, recursive: true })
  const hooks = { tenants: ['true'], quiesce: ['true', '{tenant}'], resume: ['true', '{tenant}'] }
  writeFileSync(
    config,
    JSON.stringify({
      service: { name: 'notes', hooks },
      tenants: { roots: [folder.in('data')] },
      ledger: { dir: ledger },
      snapshots: { dir: folder.in('snapshots') },
    }),
    { mode: 0o600 },
  )
  return config
}

test('stdout that is full: UNKNOWN (3) to a monitor, a failure (1) to others, and stderr says why', async () => {
  using folder = makeFolder()
  const env = { CONFIG: configured(folder) }
  const commands: readonly (readonly [line: string, code: number])[] = [
    ['status --format nagios', 3],
    ['status --format=monit', 3],
    ['status --json', 1],
    ['history', 1],
  ]
  await Promise.all(
    commands.map(async ([line, code]) => {
      const ran = await shell(`HF ${line} --config "$CONFIG" >/dev/full`, { env })
      const why = including('could not be written: no space left on device (ENOSPC)')
      expect([line, ran.code, ran.stderr]).toEqual([line, code, why])
    }),
  )
})

test('a pipe without a reader ends nothing, and a full stderr changes no exit code', async () => {
  const codeOf = async (line: string): Promise<number | null> => (await shell(line)).code
  expect(await codeOf('HF explain IN_USE | true; exit "${PIPESTATUS[0]}"')).toBe(0)
  expect(await codeOf('HF explain IN_USE 2>/dev/full')).toBe(0)
  expect(await codeOf('HF explain NO_SUCH_TOPIC 2>/dev/full')).toBe(64)
})

describe('a current folder that was removed', () => {
  const gone = (line: string, folder: Folder, env = {}): Promise<ProgramResult> => {
    mkdirSync(folder.in('gone'))
    return shell(`cd gone && rmdir ../gone && ${line}`, { cwd: folder.path, env: { HERE: folder.path, ...env } })
  }

  test.each(['check x.db', 'check --snapshot x.db', 'status --config x.yaml', 'check --ledger x "$HERE/app.db"'])(
    '%s: the relative path is refused, and says why',
    async (line) => {
      using folder = makeFolder()
      makeDatabase(folder.in('app.db'))
      const ran = await gone(`HF ${line}`, folder)
      expect([1, 78], ran.stderr).toContain(ran.code)
      const why = 'the current folder was removed: change to one that is there, or use absolute paths'
      expect(inOneLine(ran)).toContain(why)
    },
  )

  test('absolute paths work there', async () => {
    using folder = makeFolder()
    makeDatabase(folder.in('app.db'))
    const line = 'HF check "$HERE/app.db" && HF check --snapshot "$HERE/app.db" && HF status --config "$CONFIG"'
    const ran = await gone(line, folder, { CONFIG: configured(folder) })
    expect(ran.code, ran.stderr).toBe(0)
  })
})

test.each([
  ['check "$HERE/app.db"', 1, 3],
  ['check --snapshot "$HERE/app.db"', 0, 1],
  ['check --ledger "$HERE/ledger" "$HERE/app.db"', 1, 1],
  ['sweep --config "$HERE/holdfast.yaml"', 0, 1],
])('%s, and no file longer than %d KiB: that limit is named, and no disk is blamed', async (line, most, code) => {
  using folder = makeFolder()
  makeDatabase(folder.in('app.db'))
  configured(folder)
  const ran = await shell(`ulimit -f ${most}; HF ${line}`, { env: { HERE: folder.path } })
  expect([ran.code, inOneLine(ran)]).toEqual([code, including('ulimit -f')])
})

const anotherUser = otherUser === null || whyNoOtherUser() !== null ? [] : [['another user', otherUser] as const]

const masked = 'a mask that takes every bit away, as %s: folders and files are ours, commands get it'

test.each([['ourselves', undefined], ...anotherUser] as const)(masked, async (_, as) => {
  await using service = await openHookedService({ tenants: { acme: { wal: true } } })
  const { folder, config } = service
  const touching = `case "$1" in pause) echo >"${folder.in('made')}";; esac`
  const notesctl = readFileSync(folder.in('notesctl'), 'utf8')
  writeFileSync(folder.in('notesctl'), notesctl.replace('#!/bin/bash\n', `#!/bin/bash\n${touching}\n`))
  makeDatabase(folder.in('copy.db'))
  mkdirSync(folder.in('tmp'), { mode: 0o700 })
  if (as !== undefined) execFileSync('chown', ['-R', `${as.uid}:${as.gid}`, folder.path])
  const env = { CONFIG: config, HERE: folder.path, TMPDIR: folder.in('tmp') }
  const options = as === undefined ? { env } : { env, as }
  const ran = await shell(
    `umask 0777; cd /
    HF sweep --config "$CONFIG" && HF check --snapshot "$HERE/copy.db" && HF status --config "$CONFIG" &&
    HF check --ledger "$HERE/new" --keep-snapshot "$HERE/kept" "$HERE/copy.db"`,
    options,
  )
  expect([ran.code, ran.stdout], ran.stderr).toEqual([0, matching(/acme +sound/)])
  const modeOf = (name: string): number => lstatSync(folder.in(name)).mode & 0o777
  expect(['made', 'new', 'kept', 'kept/copy.db', 'new/ledger.db'].map(modeOf)).toEqual([0, 0o700, 0o700, 0o600, 0o600])
})

const noMonitor = otherUser === null ? 'needs root' : whyNoOtherUser()

const closedTo = `another user gets owner and mode of what it may not open${whySkipped(noMonitor)}`

test.skipIf(noMonitor !== null)(closedTo, async () => {
  using folder = makeFolder()
  chmodSync(folder.path, 0o755)
  const config = configured(folder)
  for (const name of ['ledger', 'closed']) mkdirSync(folder.in(name), { mode: 0o700 })
  cpSync(config, folder.in('closed/holdfast.yaml'))
  const as = otherUser === null ? {} : { as: otherUser }
  const run = (command: string, given = config): Promise<ProgramResult> =>
    shell(`HF ${command} --config "$CONFIG"`, { env: { CONFIG: given }, ...as })
  const denied = String.raw`permission denied \(EACCES\)\n +next: it belongs to uid 0 \(mode 0\d00\): allow it`
  const read = `CONFIG_INVALID: cannot read the configuration .*${denied}`
  expect(await run('sweep')).toMatchObject({ code: 78, stderr: matching(read) })
  const enter = `this user (uid 65534) may not enter the folder ${folder.in('closed')}`
  expect(await run('sweep', folder.in('closed/holdfast.yaml'))).toMatchObject({ code: 78, stderr: including(enter) })
  chmodSync(config, 0o644)
  const look = `LEDGER_UNUSABLE: cannot look into the ledger's folder .*${denied}`
  expect(await run('sweep')).toMatchObject({ code: 1, stderr: matching(look) })
  const lock = 'holdfast opens the file for writing, to lock it (it writes nothing); it belongs to uid 0'
  const file = makeDatabase(folder.in('app.db'))
  chmodSync(file, 0o644)
  expect(await run(`check ${file}`)).toMatchObject({ code: 1, stdout: including(lock) })
  const line = /^HOLDFAST UNKNOWN - LEDGER_UNUSABLE: .*permission denied/
  expect(await run('status --format nagios')).toMatchObject({ code: 3, stdout: matching(line) })
})

test.each([
  ['loop', 'ELOOP'],
  ['n'.repeat(300), 'ENAMETOOLONG'],
  ['app.db/x', 'ENOTDIR'],
])('%s as ledger, configuration and folder for a snapshot is named with %s', async (name, errno) => {
  using folder = makeFolder()
  const env = { FILE: makeDatabase(folder.in('app.db')), PLACE: folder.in(name) }
  symlinkSync('loop', folder.in('loop'))
  const run = (line: string): Promise<ProgramResult> => shell(`HF ${line}`, { env })
  const ledger = await run('check --ledger "$PLACE" "$FILE"')
  const unusable = `LEDGER_UNUSABLE: cannot make the ledger's folder ${env.PLACE}: .*\\(${errno}\\)`
  expect(ledger).toMatchObject({ code: 1, stderr: matching(unusable) })
  if (errno === 'ENOTDIR') return // There is no such file, and no folder can be made: each says so in its own words.
  const invalid = `CONFIG_INVALID: .*\\(${errno}\\)`
  expect(await run('status --config "$PLACE"')).toMatchObject({ code: 78, stderr: matching(invalid) })
  const notThere = `NOT_FOUND: cannot make or write the folder .*\\(${errno}\\)`
  expect(await run('check --keep-snapshot "$PLACE" "$FILE"')).toMatchObject({ code: 1, stderr: matching(notThere) })
})

describe.skipIf(whyNoMount('tmpfs') !== null)(`a disk that is full${whySkipped(whyNoMount('tmpfs'))}`, () => {
  function fill(path: string): void {
    try {
      writeFileSync(join(path, 'fill'), Buffer.alloc(1 << 20))
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC')
    }
  }

  test.each(['check', 'check --snapshot'])('%s with it as TMPDIR: NO_SPACE, and nothing is left', async (line) => {
    using folder = makeFolder()
    using disk = mount('tmpfs', 65_536)
    fill(disk.path)
    const env = { FILE: makeDatabase(folder.in('app.db')), TMPDIR: disk.path }
    const ran = await shell(`HF ${line} "$FILE"`, { env })
    const said = /NO_SPACE: .*no space left on device \(ENOSPC\)\n +next: free space there.*`df -i .*`--snapshots DIR`/
    expect(ran).toMatchObject({ code: 1, stderr: matching(said) })
    expect(readdirSync(disk.path)).toEqual(['fill'])
  })

  test('the note of the run lock: LEDGER_UNUSABLE with path and setting', async () => {
    using folder = makeFolder()
    using disk = mount('tmpfs', 8_192)
    const ledger = join(disk.path, 'ledger')
    mkdirSync(ledger, { mode: 0o700 })
    fill(disk.path)
    const ran = await shell('HF sweep --config "$CONFIG"', { env: { CONFIG: configured(folder, ledger) } })
    const said = /LEDGER_UNUSABLE: cannot take the run lock .*run-notes\.json: no space .*\n +next: free .*ledger\.dir/
    expect(ran).toMatchObject({ code: 1, stderr: matching(said) })
  })

  test('a disk with too little space is NO_SPACE with the margin', async () => {
    using folder = makeFolder()
    using disk = mount('tmpfs', 8 << 20)
    const env = { FILE: makeDatabase(folder.in('app.db')), TMPDIR: disk.path }
    const ran = await shell('HF check "$FILE"', { env })
    const said = /needs \d+ bytes, and a margin of 16 MiB .*`--snapshots DIR`/
    expect([ran.code, inOneLine(ran)]).toEqual([1, matching(said)])
  })
})

test('folders of runs that died before they signed them are cleared; what else has such a name stays', async () => {
  using folder = makeFolder()
  const tmp = folder.in('tmp')
  const anHourAgo = new Date(Date.now() - 3_600_000)
  const make = (name: string, inside: string | null, at = anHourAgo): void => {
    mkdirSync(join(tmp, name), { mode: 0o700, recursive: true })
    if (inside !== null) writeFileSync(join(tmp, name, inside), '')
    utimesSync(join(tmp, name), at, at)
  }
  make('holdfast-aaaaaa', null)
  make('holdfast-bbbbbb', 'owner.new')
  make('holdfast-cccccc', 'theirs')
  make('holdfast-dddddd', null, new Date())
  make('holdfast-another', null)
  const ran = await shell('HF check "$FILE"', { env: { FILE: makeDatabase(folder.in('app.db')), TMPDIR: tmp } })
  expect(ran.code, ran.stderr).toBe(0)
  expect(readdirSync(tmp).toSorted()).toEqual(['holdfast-another', 'holdfast-cccccc', 'holdfast-dddddd'])
})

test('a clone that was not built says what to run', () => {
  using folder = makeFolder()
  cpSync(dirname(launcher), folder.in('bin'), { recursive: true })
  writeFileSync(folder.in('package.json'), '{"type":"module"}')
  const program = [folder.in('bin/holdfast.js'), 'check', 'x']
  const run = (): readonly unknown[] => {
    const { status, stderr } = spawnSync(process.execPath, program, { encoding: 'utf8' })
    return [status, stderr]
  }
  expect(run()).toEqual([78, `holdfast is not built here: run \`npm run setup\` in ${folder.path}/\n`])
  mkdirSync(folder.in('dist'))
  writeFileSync(folder.in('dist/holdfast.js'), "import 'a-library-that-is-not-there'")
  const cannotLoad = /^holdfast cannot load its own program: Cannot find package .*\n +next: .*npm run setup/
  expect(run()).toEqual([1, matching(cannotLoad)])
})

const noAttributes = ((): string | null => {
  using folder = makeFolder()
  writeFileSync(folder.in('file'), '')
  if (spawnSync('chattr', ['+i', folder.in('file')]).status !== 0) return 'no file can be made immutable here'
  execFileSync('chattr', ['-i', folder.in('file')])
  return null
})()

const immutable = `root reads that a file is immutable, not that it should be root${whySkipped(noAttributes)}`

test.skipIf(noAttributes !== null)(immutable, async () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('app.db'))
  execFileSync('chattr', ['+i', file])
  try {
    const ran = await shell('HF check "$FILE"', { env: { FILE: file } })
    const said = /NO_PERMISSION: cannot open .*is immutable .*`chattr -i .*check --snapshot/
    expect([ran.code, inOneLine(ran)]).toEqual([1, matching(said)])
    expect(inOneLine(ran)).not.toContain('as root')
  } finally {
    execFileSync('chattr', ['-i', file])
  }
})
