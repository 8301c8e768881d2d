/**
 * The process that examines a chunk. It has the holds, with probe and guardian, and the ledger. It has no connection to
 * the database: from a quiesce to the resume nothing waits for it.
 *
 * If the agent is gone, what is under way comes to its end, no other tenant begins, and the process ends. Its results
 * are in the ledger, where the next agent finds them.
 */

import { endProcess } from '../../host/libc.ts'
import { restrictFileMask } from '../../host/process/file-mask.ts'
import { isReadStuck } from '../../host/process/read-of-process.ts'
import { unreachable } from '../../model/bug.ts'
import { Failure } from '../../model/failure.ts'
import { AgentQuestions } from '../compare/rows/agent-questions.ts'
import type { FromChunk, ToChunk } from './chunk-messages.ts'
import { ChunkStop } from './chunk-stop.ts'
import { examineChunk } from './examine-chunk.ts'
import { openChannel } from './message-channel.ts'
import { SlotsFromAgent } from './slots-from-agent.ts'

restrictFileMask()
const stop = new ChunkStop()
const done = Promise.withResolvers<ReadonlySet<string>>()
const send = openChannel<ToChunk, FromChunk>(process.stdin, process.stdout, hear, () => {
  stop.begin('the agent is gone')
  slots.close()
  questions.close()
  done.reject(new Failure('INTERRUPTED', 'the agent is gone'))
})
const slots = new SlotsFromAgent(send)
const questions = new AgentQuestions(() => send({ kind: 'question' }))
done.promise.catch(() => undefined) // It is awaited only if the run comes so far.

// A service manager that ends the agent may signal this process too. The hold under way is resumed, as in any run.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => stop.interrupt(new Failure('INTERRUPTED', `a signal ended the chunk (${signal})`)))

function hear(message: ToChunk): void {
  switch (message.kind) {
    case 'begin':
      return void work(message)
    case 'done':
      return done.resolve(message.files)
    case 'slot':
      return slots.hear(message.number, message.answer)
    case 'question':
      return questions.hear(message.question)
    case 'stop':
      questions.close()
      return stop.begin('the agent asked for it')
    default:
      return unreachable(message)
  }
}

async function work({ order }: Extract<ToChunk, { kind: 'begin' }>): Promise<void> {
  const doneFiles = (): Promise<ReadonlySet<string>> => {
    send({ kind: 'done' })
    return done.promise
  }
  send(await examineChunk(order, { slots, questions, stop, doneFiles, send }))
  process.stdin.destroy() // Nothing else keeps the process alive.
  if (isReadStuck()) process.stdout.write('', () => endProcess(0)) // After what was sent.
}
