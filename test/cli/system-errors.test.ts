/** What the system refuses is a failure with path, errno in words and advice that fits, whatever the command; never a defect (70). */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mount, skipped, whyNoMount } from '../host/mounts.ts'
import { makeDatabase, makeFolder, type Folder } from './folder.ts'
import { openHookedService } from './hooked-service.ts'
import { launcher, somebody, whyNotSomebody, type Ran } from './program.ts'

/** A shell line with holdfast as `$HF`: limits, masks and streams are set as a person sets them. */
function shell(line: string, options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>>; readonly as?: { readonly uid: number; readonly gid: number } } = {}): Ran {
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', NODE: process.execPath, LAUNCHER: launcher, ...options.env }
  const hf = `HF() { "$NODE" "$LAUNCHER" "$@"; }; ${line}`
  const { status, stdout, stderr } = spawnSync('bash', ['-c', hf], { env, encoding: 'utf8', timeout: 60_000, ...(options.cwd === undefined ? {} : { cwd: options.cwd }), ...options.as })
  return { code: status, stdout, stderr }
}

/** Where there is no service: nobody is asked for a tenant. */
function configured(folder: Folder, ledger: string): string {
  const config = folder.in('holdfast.yaml')
  for (const name of ['data', 'snapshots']) mkdirSync(folder.in(name), { mode: 0o700, recursive: true })
  const service = { name: 'notes', hooks: { tenants: ['true'], quiesce: ['true', '{tenant}'], resume: ['true', '{tenant}'] } }
  const settings = { service, tenants: { roots: [folder.in('data')] }, snapshots: { dir: folder.in('snapshots') }, ledger: { dir: ledger } }
  writeFileSync(config, JSON.stringify(settings), { mode: 0o600 })
  return config
}

const isRoot = process.geteuid?.() === 0

describe('stdout that is full', () => {
  test('to a monitor it is UNKNOWN (3), to anybody else a failure (1), and the reason stands on stderr', () => {
    using folder = makeFolder()
    const config = configured(folder, folder.in('ledger'))
    const lost = 'could not be written: no space left on device (ENOSPC)'
    const commands: readonly (readonly [line: string, code: number])[] = [
      ['status --format nagios', 3], ['status --format=monit', 3], ['status', 1], ['status --json', 1], ['status --format prometheus', 1], ['history', 1], ['resume --all', 1],
    ]
    for (const [line, code] of commands) {
      const ran = shell(`HF ${line} --config "$CONFIG" >/dev/full`, { env: { CONFIG: config } })
      expect([line, ran.code, ran.stderr]).toEqual([line, code, expect.stringContaining(lost)])
    }
    expect(shell('HF explain IN_USE >/dev/full').code).toBe(1)
    // A pipe that nobody reads ends nothing, and a full stderr changes no exit code.
    expect(shell('HF explain IN_USE | true; exit "${PIPESTATUS[0]}"').code).toBe(0)
    expect(shell('HF explain IN_USE 2>/dev/full').code).toBe(0)
    expect(shell('HF explain NOTHING 2>/dev/full').code).toBe(64)
  })
})

describe('a current folder that was removed', () => {
  const gone = (line: string, folder: Folder): Ran => {
    mkdirSync(folder.in('gone'))
    return shell(`cd gone && rmdir ../gone && ${line}`, { cwd: folder.path, env: { HERE: folder.path } })
  }

  test.each(['check x.db', 'check --snapshot x.db', 'status --config x.yaml', 'holders x.db', 'check --ledger x "$HERE/app.db"', 'check --snapshots x "$HERE/app.db"'])('%s: the relative path is refused, and says why', (line) => {
    using folder = makeFolder()
    makeDatabase(folder.in('app.db'))
    const ran = gone(`HF ${line}`, folder)
    expect([1, 78], ran.stderr).toContain(ran.code)
    expect((ran.stdout + ran.stderr).replaceAll(/\s+/g, ' ')).toContain('the current folder was removed: change to one that is there, or use absolute paths')
  })

  test('absolute paths work there', () => {
    using folder = makeFolder()
    makeDatabase(folder.in('app.db'))
    const config = configured(folder, folder.in('ledger'))
    expect(gone('HF check "$HERE/app.db"', folder).code).toBe(0)
    expect(gone('HF check --snapshot "$HERE/app.db"', folder).code).toBe(0)
    expect(gone(`HF status --config "${config}"`, folder).code).toBe(0)
  })
})

describe('a limit on the size of files', () => {
  test.each([
    ['check', 'HF check "$HERE/app.db"', 3], ['check --snapshot', 'HF check --snapshot "$HERE/app.db"', 1],
    ['check --ledger', 'HF check --ledger "$HERE/ledger" "$HERE/app.db"', 1], ['sweep', 'HF sweep --config "$HERE/holdfast.yaml"', 1],
  ])('%s: it is named as such, and no disk is blamed', (_, line, code) => {
    using folder = makeFolder()
    makeDatabase(folder.in('app.db'))
    configured(folder, folder.in('ledger'))
    for (const kilobytes of [0, 1]) {
      // Through a pipe: what stands in a file would meet the limit itself.
      const ran = shell(`exec 2>&1; (ulimit -f ${kilobytes}; ${line}) | cat; exit "\${PIPESTATUS[0]}"`, { env: { HERE: folder.path } })
      expect([ran.code, ran.stdout]).toEqual([kilobytes === 0 ? 1 : code, expect.stringContaining('ulimit -f')])
    }
  })
})

describe('a mask that takes every bit away', () => {
  test.each([['root or not, as we are', undefined], ...(somebody === null || whyNotSomebody() !== null ? [] : [['somebody else', somebody] as const])] as const)('%s: what holdfast makes is its own; a command has the mask that was given', async (_, as) => {
    await using service = await openHookedService({ tenants: { acme: { wal: true } } })
    const { folder, config } = service
    const touching = readFileSync(folder.in('notesctl'), 'utf8').replace('#!/bin/bash\n', `#!/bin/bash\ncase "$1" in pause) echo >"${folder.in('made')}";; esac\n`)
    writeFileSync(folder.in('notesctl'), touching)
    if (as !== undefined) {
      execFileSync('chown', ['-R', `${as.uid}:${as.gid}`, folder.path])
      chmodSync(dirname(folder.path), statSync(dirname(folder.path)).mode)
    }
    const copy = makeDatabase(folder.in('copy.db'))
    if (as !== undefined) execFileSync('chown', [String(as.uid), copy])
    mkdirSync(folder.in('tmp'), { mode: 0o700 })
    if (as !== undefined) execFileSync('chown', [String(as.uid), folder.in('tmp')])
    const env = { CONFIG: config, HERE: folder.path, TMPDIR: folder.in('tmp') }
    // The service answers from this process: it must not wait for the shell.
    const ran = await shellBeside('umask 0777; HF sweep --config "$CONFIG" && HF check --snapshot "$HERE/copy.db" && HF check --ledger "$HERE/new" --keep-snapshot "$HERE/kept" "$HERE/copy.db" && HF status --config "$CONFIG"', env, as)
    expect([ran.code, ran.stdout], ran.stderr).toEqual([0, expect.stringMatching(/acme +sound/)])
    expect(lstatSync(folder.in('made')).mode & 0o777).toBe(0)
    expect(['new', 'kept', 'kept/copy.db', 'new/ledger.db'].map((name) => (statSync(folder.in(name)).mode & 0o777).toString(8))).toEqual(['700', '700', '600', '600'])
  })
})

async function shellBeside(line: string, env: Readonly<Record<string, string>>, as?: { readonly uid: number; readonly gid: number }): Promise<Ran> {
  const { spawn } = await import('node:child_process')
  const { ending } = await import('./program.ts')
  const hf = `HF() { "$NODE" "$LAUNCHER" "$@"; }; ${line}`
  const all = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', NODE: process.execPath, LAUNCHER: launcher, ...env }
  return ending(spawn('bash', ['-c', hf], { env: all, stdio: ['ignore', 'pipe', 'pipe'], ...as }))
}

describe.skipIf(somebody === null || whyNotSomebody() !== null)(`a monitor that is another user (as root${skipped(whyNotSomebody())})`, () => {
  const as = somebody ?? { uid: 0, gid: 0 }

  test('a ledger folder, a configuration and a folder that are closed to it: each is named with its owner and mode', () => {
    using folder = makeFolder()
    chmodSync(folder.path, 0o755)
    const config = configured(folder, folder.in('ledger'))
    mkdirSync(folder.in('ledger'), { mode: 0o700 })
    writeFileSync(folder.in('ledger/ledger.db'), '')
    const status = (extra = ''): Ran => shell(`HF status ${extra} --config "$CONFIG"`, { env: { CONFIG: config }, as })
    expect([status().code, status().stderr]).toEqual([78, expect.stringMatching(/CONFIG_INVALID: cannot read the configuration .*permission denied \(EACCES\)\n +next: it belongs to uid 0 \(mode 0600\): allow it to this user \(uid 65534\)/)])
    chmodSync(config, 0o644)
    expect([status().code, status().stderr]).toEqual([1, expect.stringMatching(/LEDGER_UNUSABLE: cannot look into the ledger's folder .*permission denied \(EACCES\)\n +next: it belongs to uid 0 \(mode 0700\)/)])
    expect([status('--format nagios').code, status('--format nagios').stdout]).toEqual([3, expect.stringMatching(/^HOLDFAST UNKNOWN - LEDGER_UNUSABLE: .*permission denied/)])
    mkdirSync(folder.in('closed'), { mode: 0o700 })
    cpSync(config, folder.in('closed/holdfast.yaml'))
    const closed = shell('HF status --config "$HERE/closed/holdfast.yaml"', { env: { HERE: folder.path }, as })
    expect([closed.code, closed.stderr]).toEqual([78, expect.stringContaining(`this user (uid 65534) may not enter the folder ${folder.in('closed')}`)])
  })
})

test('links that lead in a circle, names that are too long and files in place of folders are named where they are met', () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('app.db'))
  symlinkSync('loop', folder.in('loop'))
  const places = [['loop', 'ELOOP'], ['loop/x', 'ELOOP'], ['n'.repeat(300), 'ENAMETOOLONG'], ['app.db/x', 'ENOTDIR']] as const
  const run = (line: string, place: string): Ran => shell(`HF ${line}`, { env: { PLACE: place, FILE: file } })
  for (const [name, errno] of places) {
    const place = folder.in(name)
    const ledger = run('check --ledger "$PLACE" "$FILE"', place)
    expect([ledger.code, ledger.stderr]).toEqual([1, expect.stringContaining(`LEDGER_UNUSABLE: cannot make the ledger's folder ${place}: `)])
    expect(ledger.stderr).toContain(`(${errno})`)
    if (errno === 'ENOTDIR') continue // There is no such file: what was said of it stands.
    const config = run('status --config "$PLACE"', place)
    expect([config.code, config.stderr]).toEqual([78, expect.stringMatching(new RegExp(`CONFIG_INVALID: .*\\(${errno}\\)`))])
    const kept = run('check --keep-snapshot "$PLACE" "$FILE"', place)
    expect([kept.code, kept.stderr]).toEqual([1, expect.stringMatching(new RegExp(`NOT_FOUND: cannot make or write the folder .*\\(${errno}\\)`))])
  }
})

describe.skipIf(whyNoMount('tmpfs') !== null)(`a disk that is full (as root${skipped(whyNoMount('tmpfs'))})`, () => {
  const page = 4096
  function fill(path: string): void {
    try {
      writeFileSync(join(path, 'fill'), Buffer.alloc(1 << 20))
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC')
    }
  }

  test('TMPDIR: NO_SPACE with the folder and what to set, and nothing is left there', () => {
    using folder = makeFolder()
    using disk = mount('tmpfs', 16 * page)
    const file = makeDatabase(folder.in('app.db'))
    fill(disk.path)
    for (const line of ['check', 'check --snapshot', 'compare --snapshot "$FILE"']) {
      const ran = shell(`HF ${line} "$FILE"; `, { env: { FILE: file, TMPDIR: disk.path } })
      if (line.startsWith('compare')) continue // One file with itself is refused before.
      expect([ran.code, ran.stderr]).toEqual([1, expect.stringMatching(/NO_SPACE: .*no space left on device \(ENOSPC\)\n +next: free space there.*`df -i .*--snapshots DIR`, or TMPDIR/)])
    }
    expect(readdirSync(disk.path)).toEqual(['fill'])
  })

  test('the note of the run lock: LEDGER_UNUSABLE with path and room, and nobody was asked to stand still', () => {
    using folder = makeFolder()
    using disk = mount('tmpfs', 2 * page)
    const ledger = join(disk.path, 'ledger')
    mkdirSync(ledger, { mode: 0o700 })
    fill(disk.path)
    const ran = shell('HF sweep --config "$CONFIG"', { env: { CONFIG: configured(folder, ledger) } })
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringMatching(/LEDGER_UNUSABLE: cannot take the run lock .*run-notes\.json: no space left on device \(ENOSPC\)\n +next: free space there; `df -h .*ledger\.dir/)])
  })

  test('what has room but not enough is NO_SPACE that tells the margin', () => {
    using folder = makeFolder()
    using disk = mount('tmpfs', 8 << 20)
    const file = makeDatabase(folder.in('app.db'))
    const ran = shell('HF check "$FILE"', { env: { FILE: file, TMPDIR: disk.path } })
    expect([ran.code, ran.stdout.replaceAll(/\s+/g, ' ')]).toEqual([1, expect.stringMatching(/NO_SPACE: the snapshot needs \d+ bytes, and a margin of 16 MiB stays free for the service; .* bytes free .*snapshots\.dir \(for files: `--snapshots DIR`, or TMPDIR\)/)])
  })
})

test('folders of runs that died before they signed them are cleared; what else has such a name stays', () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('app.db'))
  const tmp = folder.in('tmp')
  mkdirSync(tmp, { mode: 0o700 })
  const old = new Date(Date.now() - 3_600_000)
  const make = (name: string, inside: string | null, at = old): void => {
    mkdirSync(join(tmp, name), { mode: 0o700 })
    if (inside !== null) writeFileSync(join(tmp, name, inside), '')
    utimesSync(join(tmp, name), at, at)
  }
  make('holdfast-aaaaaa', null)
  make('holdfast-bbbbbb', 'owner.new')
  make('holdfast-cccccc', 'theirs')
  make('holdfast-dddddd', null, new Date())
  make('holdfast-another', null)
  expect(shell('HF check "$FILE"', { env: { FILE: file, TMPDIR: tmp } }).code).toBe(0)
  expect(readdirSync(tmp).toSorted()).toEqual(['holdfast-another', 'holdfast-cccccc', 'holdfast-dddddd'])
})

test('a clone that was not built says what to run', () => {
  using folder = makeFolder()
  cpSync(dirname(launcher), folder.in('bin'), { recursive: true })
  writeFileSync(folder.in('package.json'), '{"type":"module"}')
  const { status, stderr } = spawnSync(process.execPath, [folder.in('bin/holdfast.js'), 'check', 'x'], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([78, `holdfast is not built here: run \`npm run setup\` in ${folder.path}/\n`])
})

test.skipIf(!isRoot || spawnSync('chattr', ['-V']).status === null)('an immutable file: root is told of the attribute, not to be root (as root)', () => {
  using folder = makeFolder()
  const file = makeDatabase(folder.in('app.db'))
  if (spawnSync('chattr', ['+i', file]).status !== 0) return // Not on this file system.
  try {
    const ran = shell('HF check "$FILE"', { env: { FILE: file } })
    const said = ran.stdout.replaceAll(/\s+/g, ' ')
    expect([ran.code, said]).toEqual([1, expect.stringContaining('NO_PERMISSION: cannot open')])
    expect(said).toMatch(/is immutable .*`chattr -i .*holdfast check --snapshot/)
    expect(said).not.toContain('as root')
  } finally {
    execFileSync('chattr', ['-i', file])
  }
})
