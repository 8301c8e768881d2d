/** Runs the whole demo with the built program, as `npm run demo` does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

interface Demo extends Disposable {
  readonly output: () => string
  readonly ended: Promise<readonly [number | null, NodeJS.Signals | null]>
  /** Files in its TMPDIR. */
  readonly left: () => readonly string[]
  interrupt(): void
}

function startDemoProgram(): Demo {
  const tmp = mkdtempSync(join(tmpdir(), 'demo-main-'))
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../scripts/demo/main.ts')], {
    env: { ...process.env, TMPDIR: tmp, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      text += String(chunk)
    })
  return {
    output: () => text,
    ended: once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    left: () => readdirSync(tmp),
    interrupt: () => void child.kill('SIGINT'),
    [Symbol.dispose]() {
      child.kill('SIGKILL')
      rmSync(tmp, { recursive: true, force: true })
    },
  }
}

/** Pids of processes that the demo started. Its report names others too. */
const pidsIn = (text: string): number[] =>
  Array.from(text.matchAll(/^demo: started [^\n]*?\(pid (\d+)\)/gm), ([, pid]) => Number(pid))

/** Command lines of the processes that still run. */
function commandsOf(pids: readonly number[]): string[] {
  return pids.flatMap((pid) => {
    try {
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')].filter((command) => command.includes('scripts/demo'))
    } catch {
      return []
    }
  })
}

test('I1.12: everything is as promised, and nothing is left', async () => {
  using demo = startDemoProgram()
  const ended = await demo.ended
  const withReport = /(?:.*\n){0,25}.*NOT AS PROMISED.*/g
  expect([ended, demo.output().match(withReport)]).toEqual([[0, null], null])
  expect(demo.output().match(/as promised:/g)?.length).toBeGreaterThanOrEqual(14)
  expect(pidsIn(demo.output()).length).toBe(3)
  expect(commandsOf(pidsIn(demo.output()))).toEqual([])
  expect(demo.left()).toEqual([])
})

test('if it is interrupted during the sweep, it stops everything and removes its folder', async () => {
  using demo = startDemoProgram()
  while (!demo.output().includes('holdfast sweep'))
    await Promise.race([
      new Promise((resolve) => setTimeout(resolve, 20)),
      demo.ended.then(() => {
        throw new Error(demo.output())
      }),
    ])
  demo.interrupt()
  expect([await demo.ended, demo.output().includes('interrupted; everything was stopped')]).toEqual([[130, null], true])
  expect(commandsOf(pidsIn(demo.output()))).toEqual([])
  expect(demo.left()).toEqual([])
})
