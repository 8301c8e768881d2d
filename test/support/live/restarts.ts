/** A program that is started and ended again and again while pins stand: closed, or killed. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startNode } from '../processes.ts'
import type { WriterOrders } from '../programs/live/orders.ts'
import type { Crowd } from './crowd.ts'

export interface Restarts extends Pick<Crowd, 'acknowledged' | 'writers'> {
  /** Ends when all starts are done. */
  readonly done: Promise<void>
  readonly isDone: boolean
  /** What each start said that went wrong. */
  readonly errors: readonly string[]
}

/** Each start writes some transactions without a busy timeout. Every third is killed in the middle of them. */
export function restartAgainAndAgain(file: string, folder: string, times: number): Restarts {
  const acknowledged = join(folder, 'acknowledged.restarted')
  writeFileSync(acknowledged, Buffer.alloc(8))
  const turn = join(folder, 'turn.restarted')
  closeSync(openSync(turn, 'a'))
  const orders = { file, acknowledged, turn, manner: 'keeps', timeoutMs: 0, pauseMs: 2 } as const
  const errors: string[] = []
  let isDone = false
  const startOnce = async (number: number): Promise<void> => {
    const isKilled = number % 3 === 2
    const transactions = isKilled ? null : 20
    await using program = startNode('test/support/programs/live/node-writer.ts', [
      JSON.stringify({ ...orders, transactions } satisfies WriterOrders),
    ])
    await program.ready
    if (isKilled) {
      await sleep(20 + Math.random() * 60)
      program.kill('SIGKILL')
    }
    const { stdout, stderr, code } = await program.ended
    const said = stdout.split('\n').filter((line) => line.includes('"error"'))
    if (said.length > 0 || (code !== 0 && !isKilled)) errors.push(`start ${number}: ${said.join(' ')} ${stderr}`)
  }
  const done = (async () => {
    for (let number = 0; number < times; number++) await startOnce(number)
    isDone = true
  })()
  return {
    writers: 1,
    acknowledged: () => Math.max(1, readFileSync(acknowledged).readDoubleLE()),
    done,
    get isDone() {
      return isDone
    },
    errors,
  }
}
