/**
 * The other side of child.ts: what runs in a child process. Questions come through its standard input, answers go to
 * its standard output.
 */
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
 * Answers each question with what `handle` returns, or with the message of the error that it throws; what it does on
 * being told something is not answered, and an error then ends this process. Exits when the parent is gone.
 *
 * Between questions the process sleeps in the kernel: no timer, no socket of its own is served. Waking through Node's
 * channel and the event loop took half as long as trying a lock.
 */
// The two types are written out by the caller, so that both sides name the same ones.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function answerQuestions<Question, Answer>(handle: Handle<Question, Answer>): void {
  dieWithParent(parent)
  void listenAsleep(handle)
}

/**
 * As `answerQuestions`, and gives up network, programs and other processes first, where the kernel lets it: for
 * children that open with SQLite what others wrote, and need their user's rights for it.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function answerIsolated<Question, Answer>(handle: Handle<Question, Answer>): void {
  dieWithParent(parent)
  void nextTurn().then(() => {
    // The event loop enters what it watches by io_uring, which it then has no more.
    refuseCalls('isolated')
    return listenAsleep(handle)
  })
}

/**
 * As `answerQuestions`, for a process with timers of its own: its event loop goes on between questions. It outlives its
 * parent:
 * `onAlone` is called once the parent has closed the channel, or is gone, and all that it said before was heard.
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
  await nextTurn() // What the program itself still has to set up.
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
/** What a person starts by hand has none, and ends at once. */
const parent = Number(process.argv[2])

async function hear<Question, Answer>(
  handle: Handle<Question, Answer>,
  message: ToChild<Question>,
  onNobodyListens: () => void,
): Promise<void> {
  switch (message.kind) {
    case 'ask':
      return say(await answer(handle, message.question), onNobodyListens)
    case 'tell':
      return void (await handle(message.question))
    default:
      return unreachable(message)
  }
}

/**
 * SQLite's memory hangs on small objects, which V8 has no reason to collect soon: a child that opened a thousand
 * databases had grown by 20 MB.
 */
const tidyEvery = 200

/** What was collected is given back in a turn of the event loop. */
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

function say<Answer>(message: ToParent<Answer>, onNobodyListens: () => void): void {
  const frame = frameOf(message)
  try {
    for (let written = 0; written < frame.length;) written += writeSync(answers, frame.subarray(written))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    onNobodyListens() // The parent is gone.
  }
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

export { confine, confineInPlace, limitFileSize, type ConfinedFolder } from './confine.ts'
