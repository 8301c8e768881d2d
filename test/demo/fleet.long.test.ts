/** Runs the demo of a fleet with the built program, as `npm run demo -- fleet` does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
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

function startFleetDemo(): Demo {
  const tmp = mkdtempSync(join(tmpdir(), 'demo-fleet-'))
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../scripts/demo/main.ts'), 'fleet'], {
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

/** A killed agent's chunk is given out again after some minutes. */
const demoMs = 15 * 60_000

test(
  'three hosts, a damaged tenant, a replica that differs, a killed agent: all is as promised, and nothing is left',
  async () => {
    using demo = startFleetDemo()
    expect([await demo.ended, demo.output().match(/NOT AS PROMISED.*/g)]).toEqual([[0, null], null])
    expect(demo.output().match(/as promised:/g)).toHaveLength(10)
    expect(demo.left()).toEqual([])
  },
  demoMs,
)

test(
  'interrupted while its agents start, it stops everything and removes its folder',
  async () => {
    using demo = startFleetDemo()
    while (!demo.output().includes('started the agent of gamma'))
      await Promise.race([
        new Promise((resolve) => setTimeout(resolve, 20)),
        demo.ended.then(() => {
          throw new Error(demo.output())
        }),
      ])
    demo.interrupt()
    expect(await demo.ended, demo.output()).toEqual([130, null])
    expect(demo.left()).toEqual([])
  },
  demoMs,
)
