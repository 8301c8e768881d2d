/** The child's side of child.ts. Questions come through standard input, answers go to standard output. */
import { readSync, writeSync } from 'node:fs'
import { unreachable } from '../../model/bug.ts'
import { nextTurn } from '../clock.ts'
import { isLoadError, isSystemError, nameOfError } from '../failures/system-failure.ts'
import { collectGarbage } from '../garbage.ts'
import { setIoPriority, SystemCallError } from '../libc.ts'
import { refuseCalls } from './call-filter.ts'
import type { SystemErrorFields, ToChild, ToParent } from './child-protocol.ts'
import { frameOf, Frames } from './frames.ts'
import { dieWithParent } from './parent-death.ts'

type Handle<Question, Answer> = (question: Question) => Answer | Promise<Answer>

/**
 * Answers each question with the result of `handle`, or with the message of the error that it throws. A message that is
 * told gets no answer; an error while handling it ends this process. Exits when the parent is gone.
 *
 * Between questions the process sleeps in the kernel, and serves no timer and no socket. Waking through Node's channel
 * and the event loop took half as long as trying a lock.
 */
// The caller writes out both types, so that both sides name the same ones.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function answerQuestions<Question, Answer>(handle: Handle<Question, Answer>): void {
  dieWithParent(parent)
  void listenAsleep(handle)
}

/**
 * As `answerQuestions`, but gives up network, programs and other processes first if the kernel allows it. For children
 * that open untrusted files with SQLite and need the rights of their user for it.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function answerIsolated<Question, Answer>(handle: Handle<Question, Answer>): void {
  dieWithParent(parent)
  void nextTurn().then(() => {
    // The event loop registers descriptors by io_uring, which the filter then refuses.
    refuseCalls('isolated')
    return listenAsleep(handle)
  })
}

/**
 * As `answerQuestions`, for a process with timers of its own: its event loop goes on between questions. It outlives its
 * parent. `onAlone` is called when the parent has closed the channel or is gone, and all its messages were read.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function answerAwake<Question, Answer>(handle: Handle<Question, Answer>, onAlone: () => void): void {
  const frames = new Frames<ToChild<Question>>()
  process.stdin.on('data', (bytes: Buffer) => {
    for (const message of frames.take(bytes)) void hear(handle, message, () => undefined)
  })
  let alone = false
  const over = (): void => {
    if (!alone) onAlone()
    alone = true
  }
  for (const event of ['end', 'close', 'error']) process.stdin.on(event, over)
}

async function listenAsleep<Question, Answer>(handle: Handle<Question, Answer>): Promise<never> {
  const frames = new Frames<ToChild<Question>>()
  const bytes = Buffer.alloc(65_536)
  await nextTurn() // Lets the program finish its own start.
  for (let heard = 0; ;) {
    const length = readSync(questions, bytes)
    if (length === 0) process.exit()
    for (const message of frames.take(Buffer.from(bytes.subarray(0, length)))) {
      await hear(handle, message, () => process.exit())
      if (++heard % tidyEvery === 0) await tidyUp()
    }
  }
}

const questions = 0
const answers = 1
/** Missing if an operator starts the program by hand; it then ends immediately. */
const parent = Number(process.argv[2])

async function hear<Question, Answer>(
  handle: Handle<Question, Answer>,
  message: ToChild<Question>,
  onParentGone: () => void,
): Promise<void> {
  switch (message.kind) {
    case 'ask':
      return say(await answer(handle, message.question), onParentGone)
    case 'tell':
      return void (await handle(message.question))
    default:
      return unreachable(message)
  }
}

/**
 * SQLite's memory depends on small objects that V8 has no reason to collect soon. A child that had opened a thousand
 * databases had grown by 20 MB.
 */
const tidyEvery = 200

/** The memory is returned in a turn of the event loop. */
async function tidyUp(): Promise<void> {
  collectGarbage()
  await nextTurn()
}

async function answer<Question, Answer>(
  handle: Handle<Question, Answer>,
  question: Question,
): Promise<ToParent<Answer>> {
  try {
    return { kind: 'answer', answer: await handle(question) }
  } catch (error) {
    return {
      kind: 'error',
      message: error instanceof Error ? error.message : String(error),
      system: systemFieldsOf(error),
    }
  }
}

function systemFieldsOf(error: unknown): SystemErrorFields {
  if (isLoadError(error)) return { code: error.code }
  if (!isSystemError(error)) return {}
  const syscall = error.syscall ?? error.call
  return { errno: error.errno, code: nameOfError(error), ...(syscall === undefined ? {} : { syscall }) }
}

function say<Answer>(message: ToParent<Answer>, onParentGone: () => void): void {
  const frame = frameOf(message)
  try {
    for (let written = 0; written < frame.length;) written += writeSync(answers, frame.subarray(written))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    onParentGone() // The parent is gone.
  }
}

/** Uses the disk only when no other process wants it. Changes nothing if the system has no such priority. */
export function setIdlePriority(): void {
  if (process.platform !== 'linux') return
  const idleClass = 3 << 13
  try {
    setIoPriority(idleClass)
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error
  }
}

export { confine, confineInPlace, limitFileSize, type ConfinedFolder } from './confine.ts'
