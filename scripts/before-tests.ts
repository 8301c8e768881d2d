/** What all tests of a run share is made before the first of them, and removed after the last. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compiled } from './vitest.config.ts'

const root = new URL('..', import.meta.url).pathname

/** @returns what ends it */
export async function setup(): Promise<() => void> {
  execFileSync('sh', ['scripts/build.sh'], { cwd: root, stdio: 'inherit' }) // Programs are tested as built: of no older sources.
  await compileChildren()
  const moulds = mkdtempSync(join(tmpdir(), 'holdfast-moulds-'))
  process.env['HOLDFAST_MOULDS'] = moulds // For the processes that run tests (test/support/moulds.ts).
  return () => rmSync(moulds, { recursive: true })
}

/** Node keeps what it made of a program's sources when the program ends by itself. Children of a run are mostly killed: each is started once, alone, and ends at once. */
async function compileChildren(): Promise<void> {
  const programs = globSync(['src/*/*-child.ts', 'dist/*-child.cjs'], { cwd: root })
  await Promise.all(programs.map((program) => once(spawn(process.execPath, [program], { cwd: root, env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compiled }, stdio: 'ignore' }), 'close')))
}
