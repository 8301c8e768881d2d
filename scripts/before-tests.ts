/** What all tests of a run share is made before the first of them, and removed after the last. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, rmSync } from 'node:fs'
import { compiled, moulds } from './vitest.config.ts'

const root = new URL('..', import.meta.url).pathname

export async function setup(): Promise<void> {
  mkdirSync(moulds, { mode: 0o700 })
  await compileChildren()
}

export function teardown(): void {
  rmSync(moulds, { recursive: true })
}

/** Node keeps what it made of a program's sources when the program ends by itself. Children of a run are mostly killed: each is started once, alone, and ends at once. */
async function compileChildren(): Promise<void> {
  const programs = globSync(['src/*/*-child.ts', 'dist/*-child.cjs'], { cwd: root })
  await Promise.all(programs.map((program) => once(spawn(process.execPath, [program], { cwd: root, env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compiled }, stdio: 'ignore' }), 'close')))
}
