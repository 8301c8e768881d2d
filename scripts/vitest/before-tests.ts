/** What all tests of a run share is made before the first of them, and removed after the last. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compiled } from './config.ts'

const root = new URL('../..', import.meta.url).pathname

/** @returns what ends it */
export async function setup(): Promise<() => void> {
  installDebianPackages()
  // Programs are tested as built: of no older sources.
  execFileSync('sh', ['scripts/build/build.sh'], { cwd: root, stdio: 'inherit' })
  await compileChildren()
  const databases = mkdtempSync(join(tmpdir(), 'holdfast-databases-'))
  // For the processes that run tests (test/support/databases/database-cache.ts).
  process.env['HOLDFAST_DATABASE_CACHE'] = databases
  return () => rmSync(databases, { recursive: true })
}

/** Each with a program that it brings. */
const debianPackages = { strace: 'strace', xfsprogs: 'mkfs.xfs' } as const

/** Tests that need a package say why they were skipped where root could not install it, and where nobody is root. */
function installDebianPackages(): void {
  const missing = Object.entries(debianPackages)
    .filter(([, program]) => spawnSync('which', [program]).status !== 0)
    .map(([name]) => name)
  if (missing.length === 0 || process.getuid?.() !== 0) return
  const install = `apt-get update -qq && apt-get install -y -qq ${missing.join(' ')}`
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr } = spawnSync('sh', ['-c', install], { env, encoding: 'utf8', timeout: 120_000 })
  if (status !== 0) process.stderr.write(`not installed: ${missing.join(', ')} (${stderr.trim().split('\n').at(-1)})\n`)
}

/**
 * Node keeps what it made of a program's sources when the program ends by itself. Children of a run are mostly killed:
 * each is started once, alone, and ends at once.
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
