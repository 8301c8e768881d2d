/** The agent's side of the process that examines a chunk (chunk-child.ts). */

import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { failureOfEnd, startProcess, type ProcessEnd } from '../../host/process/child-start.ts'
import { nodeFlags } from '../../host/process/child.ts'
import { initialFileMask, withFileMask } from '../../host/process/file-mask.ts'
import { programBeside } from '../../host/process/program-beside.ts'
import type { Failure } from '../../model/failure.ts'
import type { RowQuestion } from '../compare/rows/row-questions.ts'
import type { SlotSource } from '../pause/slot-permit.ts'
import type { ChunkFailure, ChunkOrder, FromChunk, ToChunk } from './chunk-messages.ts'
import { openChannel } from './message-channel.ts'

export interface ChunkObserver {
  readonly slots: SlotSource
  /** Files of the run that have a result. Called with the run lock in the hands of the process. */
  readonly doneFiles: () => Promise<ReadonlySet<string>>
  readonly onResult: (message: Extract<FromChunk, { kind: 'result' }>) => void
  readonly onNotice: (text: string) => void
  /** The next question about rows; null if nothing more is asked. */
  readonly nextQuestion: () => Promise<RowQuestion | null>
  readonly onAnswer: (answer: object) => void
}

/** `ended`: it has said so itself, and `failure` says what went wrong, if anything did. `died`: it has not. */
export type ChunkEnd =
  | { readonly kind: 'ended'; readonly stopped: boolean; readonly failure: ChunkFailure | null }
  | { readonly kind: 'died'; readonly failure: Failure }

const program = 'chunk-child'
const stderrKept = 4096

export class ChunkProcess {
  readonly ended: Promise<ChunkEnd>
  readonly #process: ChildProcessWithoutNullStreams
  readonly #send: (message: ToChunk) => void
  #said: Extract<FromChunk, { kind: 'ended' }> | null = null

  private constructor(started: ChildProcessWithoutNullStreams, observer: ChunkObserver) {
    this.#process = started
    const { stdin, stdout } = started
    this.#send = openChannel<FromChunk, ToChunk>(
      stdout,
      stdin,
      (message) => this.#hear(message, observer),
      () => undefined,
    )
    this.ended = this.#watchEnd()
  }

  /** @throws {Failure} READ_FAILED if the machine has no process, descriptor or memory for it */
  static async start(order: ChunkOrder, observer: ChunkObserver): Promise<ChunkProcess> {
    const args = [...nodeFlags, programBeside(import.meta.url, program), String(process.pid)]
    // The commands of a service get the mask and the environment that the agent was started with, but for the password.
    const started = await withFileMask(initialFileMask(), () =>
      startProcess(args, { name: program, ownSession: true, env: withoutDatabase(process.env) }),
    )
    const chunk = new ChunkProcess(started, observer)
    chunk.#send({ kind: 'begin', order })
    return chunk
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** What is under way comes to its end; no other tenant begins. */
  stop(): void {
    this.#send({ kind: 'stop' })
  }

  /** Closes the channel. The process ends what is under way and then itself. The agent does not wait for it. */
  detach(): void {
    for (const pipe of this.#process.stdio) pipe?.destroy()
    this.#process.unref()
  }

  #hear(message: FromChunk, observer: ChunkObserver): void {
    switch (message.kind) {
      case 'done':
        void observer.doneFiles().then(
          (files) => this.#send({ kind: 'done', files }),
          (error: unknown) => {
            observer.onNotice(error instanceof Error ? error.message : String(error))
            this.stop()
            this.#send({ kind: 'done', files: new Set() })
          },
        )
        return
      case 'take':
        return void this.#take(message.number, observer)
      case 'release':
        return observer.slots.release(message.slot)
      case 'result':
        return observer.onResult(message)
      case 'notice':
        return observer.onNotice(message.text)
      case 'question':
        return void observer.nextQuestion().then((question) => this.#send({ kind: 'question', question }))
      case 'answer':
        return observer.onAnswer(message.answer)
      case 'ended':
        this.#said = message
    }
  }

  async #take(number: number, { slots }: ChunkObserver): Promise<void> {
    const answer = await slots.take()
    if (this.#process.stdin.writable) this.#send({ kind: 'slot', number, answer })
    // It was not given to the process, so no tenant is paused by it.
    else if ('rows' in answer) slots.release(answer)
  }

  async #watchEnd(): Promise<ChunkEnd> {
    let stderr = ''
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-stderrKept)
    })
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
      this.#process.once('close', (code, signal) => resolve([code, signal]))
    })
    if (this.#said !== null) return this.#said
    const end: ProcessEnd = { how: signal === null ? 'exit' : 'signal', code, signal, stderr }
    return { kind: 'died', failure: failureOfEnd(program, end, 0, null) }
  }
}

function withoutDatabase(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('PG') ? [] : [[name, value]],
    ),
  )
}
