/**
 * Child processes that answer one question at a time. All work that may crash, hang or grow without bound happens in
 * one of these (real SQLite on a hostile file, hold/README.md F10). It costs at most that child.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { invariant } from '../../model/bug.ts'
import { findUntrusted } from '../files/trusted-path.ts'
import { lowerPriority, preferForOomKill, unlessRefused } from '../low-priority.ts'
import type { ToChild, ToParent } from './child-protocol.ts'
import { startProcess, type ProcessEnd } from './child-start.ts'
import { frameOf, Frames } from './frames.ts'

export type { ProcessEnd }

/** The longest delay of setTimeout, 24.8 days: a timer with a longer one fires immediately. */
const timerMsMax = 2 ** 31 - 1

/** The child died or was killed before it answered. */
export class ChildEndError extends Error {
  override readonly name = 'ChildEndError'
  readonly ended: ProcessEnd

  constructor(ended: ProcessEnd) {
    const code = ended.code === null ? '' : ` code ${ended.code}`
    const signal = ended.signal === null ? '' : ` ${ended.signal}`
    super(`child process ended: ${ended.how}${code}${signal}`)
    this.ended = ended
  }
}

export interface ChildOptions {
  /** In a session of its own: a Ctrl-C in our terminal does not reach it. */
  readonly ownSession: boolean
  /** See `ProcessOptions`. */
  readonly ourErrors?: boolean
  /** 0 to 19. */
  readonly niceness: number
  /** Anonymous and shared memory together, checked every 200 ms; null for no limit. */
  readonly memoryBytesMax: number | null
  /** Added to our PATH, TZ and LANG. The child gets no other variable of ours. */
  readonly env: Readonly<Record<string, string>>
  /** Size of V8's semi-space in MB, which is a third of its young generation. The default is `youngMegabytesUsual`. */
  readonly youngMegabytesMax?: number
}

export interface Child<Question, Answer> extends AsyncDisposable {
  readonly pid: number
  readonly ended: Promise<ProcessEnd>
  /** False as soon as the kernel has reported its end. Its last output may still come; `ended` waits for that. */
  readonly isRunning: boolean
  /**
   * One question at a time. Keeps our event loop alive while the question is open.
   * @throws {ChildEndError} if the child dies, or is killed because of its time or memory
   * @throws the error that the child answered with: its message, and its errno if it is one of the system
   */
  ask(question: Question, limits: { readonly timeoutMs: number }): Promise<Answer>
  /**
   * Sends a message that gets no answer. The message is lost if the child has ended; see `ended`.
   * @returns true if the system has the message, so that it outlives us; false if it is still in our memory
   */
  tell(message: Question): boolean
  /** SIGKILL. */
  kill(): void
}

/**
 * Starts a Node program that calls `answerQuestions` (child-side.ts). An idle child does not keep our event loop alive.
 * It ends when we end. Dispose it to end it: it gets 500 ms, then SIGKILL.
 * @throws {Failure} READ_FAILED if the machine has no process, descriptor or memory for it, also after some retries
 */
export async function startChild<Question, Answer>(
  program: string,
  options: ChildOptions,
): Promise<Child<Question, Answer>> {
  const young = `--max-semi-space-size=${options.youngMegabytesMax ?? youngMegabytesUsual}`
  const { ownSession, ourErrors = false, env } = options
  const started = await startProcess([young, ...nodeFlags, program, String(process.pid)], {
    name: basename(program),
    ownSession,
    ourErrors,
    env: { ...inheritedVariables(), ...env },
  })
  return new ForkedChild<Question, Answer>(started, options)
}

/**
 * Most children do one small task at a time, and there are many. With 2 MB in each, a sweep of 10,000 tenants took 250
 * MB instead of 233. A child that works all the time gets more.
 */
const youngMegabytesUsual = 1
/** One thread for V8's background work. With four in each child they competed for two cores and took 20 MB more. */
const oneThread = '--v8-pool-size=1'
/** Without it Node opens its debugger to any user of the machine when it is sent SIGUSR1. */
const noDebugger = '--disable-sigusr1'
/** For each Node program that holdfast starts. */
export const nodeFlags = [oneThread, noDebugger] as const
const stderrKept = 4096
const memoryLookEveryMs = 200
const graceMs = 500

class ForkedChild<Question, Answer> implements Child<Question, Answer> {
  readonly pid: number
  readonly ended: Promise<ProcessEnd>
  readonly #process: ChildProcessWithoutNullStreams
  #killedFor: 'killed-timeout' | 'killed-memory' | null = null
  #ended: ProcessEnd | null = null
  #open: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void } | null = null

  constructor(started: ChildProcessWithoutNullStreams, options: ChildOptions) {
    this.#process = started
    const { pid } = started
    invariant(pid !== undefined, 'a process that was started has a pid')
    this.pid = pid
    // The end of the child may break any of them; `ended` reports it.
    for (const pipe of [this.#process.stdin, this.#process.stdout, this.#process.stderr]) pipe.on('error', () => {})
    this.ended = this.#watchEnd()
    if (options.niceness !== 0) lowerPriority(this, options)
    if (options.memoryBytesMax !== null) this.#watchMemory(options.memoryBytesMax)
    this.#listen()
    // One reaction serves all questions. One for each would stay for as long as the child lives.
    void this.ended.then((ended) => {
      this.#ended = ended
      this.#open?.reject(new ChildEndError(ended))
    })
    for (const part of this.#handles) part.unref()
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  async ask(question: Question, limits: { readonly timeoutMs: number }): Promise<Answer> {
    invariant(this.#open === null, 'a child is asked one question at a time')
    if (this.#ended) throw new ChildEndError(this.#ended)
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#open = { resolve, reject }
    })
    const timer = setTimeout(() => this.#killFor('killed-timeout'), Math.min(limits.timeoutMs, timerMsMax))
    this.#process.ref()
    try {
      this.#send({ kind: 'ask', question })
      return await answer
    } finally {
      clearTimeout(timer)
      this.#open = null
      this.#process.unref()
    }
  }

  tell(message: Question): boolean {
    this.#send({ kind: 'tell', question: message })
    return this.#process.stdin.writableLength === 0
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#handles) part.ref()
    this.#process.stdin.end()
    const timer = setTimeout(() => this.kill(), graceMs)
    await this.ended
    clearTimeout(timer)
  }

  /** Throws if the value cannot be cloned. A closed pipe is no error here, because `ended` reports it soon. */
  #send(message: ToChild<Question>): void {
    const frame = frameOf(message)
    if (this.#process.stdin.writable) this.#process.stdin.write(frame)
  }

  #listen(): void {
    const frames = new Frames<ToParent<Answer>>()
    this.#process.stdout.on('data', (bytes: Buffer) => {
      try {
        for (const message of frames.take(bytes)) this.#hear(message)
      } catch {
        this.kill() // Such bytes do not come from the program that was started.
      }
    })
    // A child that cannot answer any more would never end. If reading failed there is no 'end'.
    this.#process.stdout.on('close', () => this.#killSoon())
  }

  #hear(message: ToParent<Answer>): void {
    if (message.kind === 'answer') this.#open?.resolve(message.answer)
    else this.#open?.reject(Object.assign(new Error(message.message), message.system))
  }

  #killFor(how: 'killed-timeout' | 'killed-memory'): void {
    this.#killedFor ??= how
    this.kill()
  }

  #killSoon(): void {
    const timer = setTimeout(() => this.kill(), graceMs)
    timer.unref()
    this.#process.once('exit', () => clearTimeout(timer))
  }

  /** Everything that could keep our event loop alive. */
  get #handles(): readonly { ref(): void; unref(): void }[] {
    const { stdin, stdout, stderr } = this.#process
    return [this.#process, ...([stdin, stdout, stderr] as unknown as { ref(): void; unref(): void }[])]
  }

  async #watchEnd(): Promise<ProcessEnd> {
    let stderr = Buffer.alloc(0)
    this.#process.stderr.on('data', (bytes: Buffer) => {
      stderr = Buffer.concat([stderr, bytes]).subarray(-stderrKept)
    })
    // The process emits 'close' only if the child closed its pipes first. Waiting for it after we closed them took the
    // whole 100 ms.
    const closed = new Promise<void>((resolve) => {
      this.#process.stderr.once('close', () => resolve())
    })
    const longEnough = Promise.withResolvers<void>()
    const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      this.#process.once('exit', (code, signal) => resolve({ code, signal }))
    })
    const timer = setTimeout(longEnough.resolve, 100)
    // Its last output may still be in the pipe. A grandchild may keep the pipe open for ever.
    await Promise.race([closed, longEnough.promise])
    clearTimeout(timer) // Otherwise the timer keeps us alive when all is done.
    const how = this.#killedFor ?? (signal === null ? 'exit' : 'signal')
    return { how, code, signal, stderr: stderr.toString('utf8') }
  }

  #watchMemory(bytesMax: number): void {
    preferForOomKill(this.pid)
    const timer = setInterval(() => {
      if (memoryOf(this.pid) > bytesMax) this.#killFor('killed-memory')
    }, memoryLookEveryMs)
    timer.unref()
    this.#process.once('exit', () => clearInterval(timer))
  }
}

/** Variables that do not change what a child does. If the operator has a compile cache, a child starts faster. */
const compileCache = 'NODE_COMPILE_CACHE'
const inheritedNames = ['PATH', 'TZ', 'LANG', compileCache] as const

/** Node runs what is in a compile cache, so a folder that another user can write is not used. */
const isOursAlone = (folder: string): boolean => findUntrusted(folder, 'folder') === null

function inheritedVariables(): Record<string, string> {
  const env: Record<string, string> = {}
  for (const name of inheritedNames) {
    const value = process.env[name]
    if (value !== undefined && (name !== compileCache || isOursAlone(value))) env[name] = value
  }
  return env
}

/**
 * Pages of mapped files do not count, because the kernel takes them back when it needs memory. 0 if the system does not
 * say: the process is gone, or the next check is soon.
 */
function memoryOf(pid: number): number {
  return (
    unlessRefused(() => {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1')
      const kilobytes = [...status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)].map(([, number]) => Number(number))
      return kilobytes.reduce((sum, number) => sum + number, 0) * 1024
    }) ?? 0
  )
}
