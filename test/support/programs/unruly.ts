/** A child that misbehaves on demand. */
import { spawn } from 'node:child_process'
import { closeSync, writeSync } from 'node:fs'
import { answerQuestions, setIdlePriority } from '../../../src/host/process/child-side.ts'

export type UnrulyOrder =
  | { readonly whim: 'echo'; readonly value: unknown }
  | {
      readonly whim:
        | 'environment'
        | 'hang'
        | 'sleep'
        | 'eat'
        | 'exit'
        | 'die'
        | 'fail'
        | 'disconnect'
        | 'idle'
        | 'told'
        | 'shout'
        | 'babble'
        | 'grandchild'
    }

let told = 0
const eaten: Buffer[] = []

answerQuestions<UnrulyOrder, unknown>(async (question) => {
  switch (question.whim) {
    case 'echo':
      return question.value
    case 'environment':
      return Object.keys(process.env).sort()
    case 'hang':
      process.title = 'hanging'
      for (;;) {
        /* As SQLite does on some hostile files: the event loop never turns again. */
      }
    case 'sleep':
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      return 'slept'
    case 'eat':
      for (;;) {
        eaten.push(Buffer.alloc(16 << 20, 1))
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    case 'exit':
      return process.exit(7)
    case 'die':
      process.kill(process.pid, 'SIGSEGV')
      return new Promise(() => {})
    case 'fail':
      throw new TypeError('the schema is unreadable')
    case 'disconnect':
      closeSync(0)
      closeSync(1)
      return new Promise((resolve) => setTimeout(resolve, 60_000))
    case 'idle':
      return setIdlePriority()
    case 'told':
      return told++
    case 'shout':
      process.stderr.write(`${'x'.repeat(10_000)}the end\n`)
      return process.exit(9)
    case 'babble':
      writeSync(1, 'as one that was taken over by what it read\n')
      return new Promise((resolve) => setTimeout(resolve, 60_000))
    case 'grandchild':
      // It inherits our stderr and keeps it open.
      return spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'inherit'], detached: true }).pid
  }
})
