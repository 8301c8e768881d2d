/**
 * How long the locks of a pinned snapshot may stand. All of them lie on the descriptors of one live set. `letGo`
 * releases them immediately, and only then ends the work: a copy may go on for the piece that the kernel works on.
 */
import { monotonicMs } from '../../host/clock.ts'
import { Failure } from '../../model/failure.ts'
import type { LiveLimits } from '../hold-request.ts'
import type { LiveFiles } from '../live/live-files.ts'
import type { Guardian, Watch } from '../seal/guardian.ts'

/** The guardian kills a process that has not released its locks so long after it had to: it is frozen. */
const graceMs = 1_000
/** How often its deadline moves on while locks are waited for. */
const movesOnMs = 250

export class PinTerm implements Disposable {
  readonly #files: LiveFiles
  readonly #limits: LiveLimits
  readonly #standMsMax: number
  readonly #watch: Watch
  readonly #interrupt: AbortSignal
  readonly #over = new AbortController()
  readonly #onInterrupt = (): void => this.letGo(this.#interrupt.reason)
  #timer: NodeJS.Timeout | null = null
  #movedOnAtMs = monotonicMs()

  private constructor(files: LiveFiles, limits: LiveLimits, standMsMax: number, watch: Watch, interrupt: AbortSignal) {
    this.#files = files
    this.#limits = limits
    this.#standMsMax = standMsMax
    this.#watch = watch
    this.#interrupt = interrupt
    if (interrupt.aborted) this.#onInterrupt()
    else interrupt.addEventListener('abort', this.#onInterrupt, { once: true })
  }

  /**
   * To be called before the first lock is asked for: from now on the guardian watches.
   * @param standMsMax how long the locks may stand if this process freezes as soon as it has them
   * @throws {Failure} GUARDIAN_LOST; the reason of the signal
   */
  static async begin(
    files: LiveFiles,
    limits: LiveLimits,
    standMsMax: number,
    guardian: Guardian,
    interrupt: AbortSignal,
  ): Promise<PinTerm> {
    interrupt.throwIfAborted()
    const watch = await guardian.watchUntil(monotonicMs() + standMsMax + graceMs)
    return new PinTerm(files, limits, standMsMax, watch, interrupt)
  }

  /** To be called again and again while locks are waited for: each may stand from the next moment on. */
  keepWaiting(): void {
    const nowMs = monotonicMs()
    if (nowMs - this.#movedOnAtMs < movesOnMs) return
    this.#movedOnAtMs = nowMs
    this.#watch.until(nowMs + this.#standMsMax + graceMs)
  }

  /** Aborts when the locks were let go. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  get isStarted(): boolean {
    return this.#timer !== null
  }

  /**
   * To be called as soon as a lock stands that other programs may notice: `live.maxPin` begins.
   * @param limit a shorter one, in ms from now, and what then ended the work
   */
  start(limit: { readonly maxMs: number; readonly why: Failure } | null = null): void {
    const { maxPinMs } = this.#limits
    const { maxMs, why } =
      limit !== null && limit.maxMs < maxPinMs ? limit : { maxMs: maxPinMs, why: tooLong(this.#files.path, maxPinMs) }
    this.#watch.until(monotonicMs() + maxMs + graceMs)
    this.#timer = setTimeout(() => this.letGo(why), maxMs)
  }

  /** Releases every lock on the live set, then aborts the work with the reason. Repeatable: the first reason counts. */
  letGo(why: unknown): void {
    if (this.#over.signal.aborted) return
    this.release()
    this.#over.abort(why)
  }

  /**
   * Releases every lock on the live set, and ends the guardian's watch. To be called before work that may take longer
   * than the watch. The kernel finishes a piece of the copy, or the holders of a file are sought. Repeatable.
   */
  release(): void {
    this.#files.unlock()
    this.#watch[Symbol.dispose]()
  }

  /** To be called when no lock stands any more. */
  [Symbol.dispose](): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#interrupt.removeEventListener('abort', this.#onInterrupt)
    this.#watch[Symbol.dispose]()
  }
}

const tooLong = (path: string, maxPinMs: number): Failure =>
  new Failure('TOO_LARGE_FOR_PAUSE', `${path} was not copied within live.maxPin (${maxPinMs} ms)`, {
    hint:
      'put the folder for snapshots on the same file system, if that can share blocks (xfs, btrfs); or raise ' +
      'live.maxPin, which costs a longer WAL',
  })
