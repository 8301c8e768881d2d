/** Makes what all tests of a run share, before the first test. Removes it after the last. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compiled } from './config.ts'

const root = new URL('../..', import.meta.url).pathname

/** @returns the function that removes it */
export async function setup(): Promise<() => void> {
  installDebianPackages()
  unpackDebianPackages('monit', 'monit', ['monit'])
  unpackDebianPackages('pdns', 'pdns_server', ['pdns-server', 'pdns-backend-sqlite3'])
  unpackDebianPackages('fail2ban', 'fail2ban-server', ['fail2ban'])
  unpackDebianPackages('pgbouncer', 'pgbouncer', ['pgbouncer'])
  // Its programs are never in PATH.
  if (globSync('/usr/lib/postgresql/*/bin/initdb').length === 0)
    unpackDebianPackages('postgresql', 'initdb', ['postgresql'])
  // Tests run the built programs, so these must be of the current sources.
  execFileSync('sh', ['scripts/build/build.sh'], { cwd: root, stdio: 'inherit' })
  await compileChildren()
  const databases = mkdtempSync(join(tmpdir(), 'holdfast-databases-'))
  // The processes that run tests read it (test/support/databases/database-cache.ts).
  process.env['HOLDFAST_DATABASE_CACHE'] = databases
  const before = stateOf(defaultFolder)
  const giveBack = shareWithReaders()
  return () => {
    giveBack()
    rmSync(databases, { recursive: true })
    requireUntouched(before)
  }
}

/**
 * Reading children have niced sessions (src/host/low-priority.ts). Beside the busy session of the tests they would wait
 * long. So that session gets the same niceness meanwhile, where the kernel lets it.
 */
function shareWithReaders(): () => void {
  const file = '/proc/self/autogroup'
  if (!existsSync(file)) return () => {}
  const niceness = / nice (-?\d+)/.exec(readFileSync(file, 'latin1'))?.[1] ?? '0'
  const set = (to: string): boolean => {
    try {
      writeFileSync(file, to)
      return true
    } catch {
      return false // Another one was set within the last 100 ms, or only root may take it back.
    }
  }
  return Number(niceness) < 10 && set('10') ? () => void set(niceness) : () => {}
}

/** What a configuration without ledger.dir means. No test may write there: it may be the ledger of a real service. */
const defaultFolder = '/var/lib/holdfast'

/** @throws if a test has made the folder. If it was there before, another holdfast may use it: this only says so. */
function requireUntouched(before: readonly string[]): void {
  const known = new Set(before)
  const changed = stateOf(defaultFolder).filter((entry) => !known.has(entry))
  if (changed.length === 0) return
  const said = `written in ${defaultFolder} during the tests: ${changed.join('; ')}`
  if (before.length === 0) throw new Error(said)
  process.stderr.write(`${said}\n`)
}

/** The folder and all in it, with sizes and times; empty if it is not there. */
function stateOf(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  return ['.', ...names].flatMap((name) => {
    const stats = statSync(join(folder, name), { throwIfNoEntry: false })
    return stats === undefined ? [] : [`${name} (${stats.size} B, ${stats.mtime.toISOString()})`]
  })
}

/** Each with a program that it contains. */
const debianPackages = {
  fish: 'fish',
  groff: 'groff',
  iproute2: 'ip',
  jq: 'jq',
  prometheus: 'promtool',
  restic: 'restic',
  strace: 'strace',
  systemd: 'systemd-analyze',
  xfsprogs: 'mkfs.xfs',
  zsh: 'zsh',
  zstd: 'zstd',
} as const

/** Only root can install them. Tests that need a missing package are skipped and say why. */
function installDebianPackages(): void {
  const missing = Object.entries(debianPackages)
    .filter(([, program]) => spawnSync('which', [program]).status !== 0)
    .map(([name]) => name)
  if (missing.length === 0 || process.getuid?.() !== 0) return
  const install = `apt-get update -qq && apt-get install -y -qq ${missing.join(' ')}`
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr } = spawnSync('sh', ['-c', install], { env, encoding: 'utf8', timeout: 300_000 })
  if (status !== 0) process.stderr.write(`not installed: ${missing.join(', ')} (${stderr.trim().split('\n').at(-1)})\n`)
}

/**
 * Installing these would start a daemon on this machine, so they are only unpacked, with the libraries that it lacks
 * (test/support/monit.ts, test/support/real/debian.ts).
 * @param program that they contain
 */
function unpackDebianPackages(group: string, program: string, packages: readonly string[]): void {
  const folder = join(root, 'node_modules/.debian', group)
  if (existsSync(folder) || spawnSync('which', [program]).status === 0) return
  const named = packages.join(' ')
  const unpack = [
    `missing=$(apt-get install -s --no-install-recommends ${named} | sed -n 's/^Inst \\([^ ]*\\).*/\\1/p')`,
    'apt-get download -qq $missing',
    'for package in *.deb; do dpkg -x "$package" unpacked; done',
    `mv unpacked ${folder}`,
  ]
  mkdirSync(dirname(folder), { recursive: true })
  const temporary = mkdtempSync(join(tmpdir(), 'debian-'))
  const options = { cwd: temporary, encoding: 'utf8', timeout: 300_000 } as const
  const { status, stderr } = spawnSync('sh', ['-ec', unpack.join('\n')], options)
  if (status !== 0) process.stderr.write(`not unpacked: ${group} (${stderr.trim().split('\n').at(-1)})\n`)
  rmSync(temporary, { recursive: true })
}

/**
 * Node stores the compiled code of a program when the program ends by itself. Tests mostly kill the child programs, so
 * each is started once here: without a parent it ends immediately.
 */
async function compileChildren(): Promise<void> {
  const programs = globSync(['dist/*-child.js'], { cwd: root })
  await Promise.all(
    programs.map((program) =>
      once(
        spawn(process.execPath, [program], {
          cwd: root,
          env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compiled },
          stdio: 'ignore',
        }),
        'close',
      ),
    ),
  )
}
