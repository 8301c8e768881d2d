/** The other side of child.ts: what runs in a child process. */
import { unreachable } from '../model/bug.ts'
import type { ToChild, ToParent } from './child-protocol.ts'
import { setIoPriority, SystemCallError } from './libc.ts'
import { dieWithParent } from './parent-death.ts'

/**
 * Answers each question with what `handle` returns, or with the message of the error that it throws; what it does on
 * being told something is not answered, and an error then ends this process. Exits when the parent is gone.
 */
// The two types are written out by the caller, so that both sides name the same ones.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function answerQuestions<Question, Answer>(handle: (question: Question) => Answer | Promise<Answer>): void {
  process.on('disconnect', () => process.exit())
  dieWithParent()
  let answers = 0
  process.on('message', (message: ToChild<Question>) => {
    switch (message.kind) {
      case 'ask':
        void answer(handle, message.question).then((said) => {
          say(said)
          if (++answers % collectEvery === 0) globalThis.gc?.()
        })
        break
      case 'tell':
        void Promise.resolve(handle(message.question))
        break
      default:
        unreachable(message)
    }
  })
  // The parent may have gone before anybody listened.
  if (!process.connected) process.exit()
}

/** SQLite's memory hangs on small objects, which V8 has no reason to collect soon: a child that opened a thousand databases had grown by 20 MB. */
const collectEvery = 200

async function answer<Question, Answer>(handle: (question: Question) => Answer | Promise<Answer>, question: Question): Promise<ToParent<Answer>> {
  try {
    return { kind: 'answer', answer: await handle(question) }
  } catch (error) {
    return { kind: 'error', message: error instanceof Error ? error.message : String(error) }
  }
}

function say<Answer>(message: ToParent<Answer>): void {
  process.send?.(message, undefined, undefined, () => {}) // A parent that is gone: 'disconnect' follows.
}

/** Disk access only when nobody else wants the disk. Where the system has no such thing, nothing changes. */
export function setIdlePriority(): void {
  if (process.platform !== 'linux') return
  const idleClass = 3 << 13
  try {
    setIoPriority(idleClass)
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error
  }
}

export { confine, type Room } from './confine.ts'
