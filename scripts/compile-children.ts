/** Node keeps what it made of a program's sources when the program ends by itself. Children of a run are mostly killed: each is started once, alone, and ends at once. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { compiled } from './vitest.config.ts'

const root = new URL('..', import.meta.url).pathname

export async function setup(): Promise<void> {
  const programs = globSync(['src/*/*-child.ts', 'dist/*-child.js'], { cwd: root })
  await Promise.all(programs.map((program) => once(spawn(process.execPath, [program], { cwd: root, env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compiled }, stdio: 'ignore' }), 'close')))
}
