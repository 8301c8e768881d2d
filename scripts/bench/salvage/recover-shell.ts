/**
 * A sqlite3 shell whose `.recover` works. That of Debian's package was built without the table `sqlite_dbpage`, so its
 * `.recover` prints an error and nothing else, also for healthy files. This one is built from Debian's source package.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fetchDebianSource } from './debian-source.ts'

export interface RecoverShell {
  readonly path: string
  /** As `sqlite3 --version` prints it, without the checksum. */
  readonly version: string
}

/** It stays there, because building it takes a minute. */
const kept = resolve(import.meta.dirname, '../../../node_modules/.sqlite3-recover')

/** Each program with the package that contains it. */
const needed = { 'dpkg-source': 'dpkg-dev', gcc: 'gcc', make: 'make', tclsh: 'tcl' } as const

const flags = ['DBPAGE_VTAB', 'DBSTAT_VTAB', 'FTS3', 'FTS4', 'FTS5', 'RTREE'].map((name) => `-DSQLITE_ENABLE_${name}`)

/** Builds it unless it was built before. @throws if a program is missing, or if apt or the build fails */
export function openRecoverShell(report: (line: string) => void): RecoverShell {
  const path = join(kept, 'sqlite3')
  if (!existsSync(path)) build(path, report)
  // Without the table, the shell prints an error instead of the schema and the rows.
  const recovered = execFileSync(path, [':memory:', '.recover'], { encoding: 'utf8' })
  if (!recovered.includes('BEGIN') || recovered.includes('error'))
    throw new Error(`${path} cannot recover: ${recovered}`)
  return { path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).split(' ')[0] ?? '' }
}

function build(path: string, report: (line: string) => void): void {
  installMissing(report)
  mkdirSync(kept, { recursive: true })
  const folder = mkdtempSync(join(kept, 'build-'))
  try {
    report('fetching the source package of sqlite3')
    const source = fetchDebianSource(folder, 'sqlite3', 'unpacked')
    report('building a sqlite3 shell whose .recover works; this takes a minute')
    const run = (program: string, args: readonly string[]): void =>
      void execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 1e8 })
    const features = ['tcl', 'readline', 'shared', 'load-extension'].map((name) => `--disable-${name}`)
    run('sh', [join(source, 'configure'), ...features])
    run('make', ['sqlite3', `OPTS=${flags.join(' ')}`])
    renameSync(join(folder, 'sqlite3'), path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Only root can install packages. */
function installMissing(report: (line: string) => void): void {
  const missing = Object.entries(needed)
    .filter(([program]) => spawnSync('which', [program]).status !== 0)
    .map(([, name]) => name)
  if (missing.length === 0) return
  if (process.getuid?.() !== 0) throw new Error(`these packages are needed: ${missing.join(', ')}`)
  report(`installing ${missing.join(', ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const stdio: ['ignore', 'ignore', 'inherit'] = ['ignore', 'ignore', 'inherit']
  execFileSync('apt-get', ['-qq', 'update'], { env, stdio })
  execFileSync('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...missing], { env, stdio })
}
