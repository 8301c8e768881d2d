/** The document of `backups`: one holdfast.backups/1, or a table with sentences. */
import type { VerifiedEntry } from '../../backup/verify.ts'
import { exitCodes, gravest, type ExitCode } from '../../model/exit-code.ts'
import type { Backup } from '../../model/result/backup.ts'
import { renderBackups, type BackupsView, type UnkeptFile } from '../../report/backups/backups-text.ts'
import { jsonDocument } from '../../report/json.ts'
import type { TextOptions } from '../../report/text/result-words.ts'
import { exitCodeOfError } from '../terminal/errors.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { ReportDocument, ReportEnd } from './print-report.ts'
import { Spool } from './spool.ts'

/** What a command adds at its end. */
export type BackupsEnd = Partial<Pick<BackupsView, 'leftovers' | 'notReached'>>

export class BackupsDocument implements ReportDocument<BackupsEnd> {
  readonly #terminal: Pick<Terminal, 'version' | 'interrupt'>
  readonly #about: Pick<BackupsView, 'action' | 'dryRun'>
  readonly #backups: Spool<Backup>
  readonly #notKept: UnkeptFile[] = []
  readonly #codes = new Set<ExitCode>()
  #folder: string | null = null
  #count = 0

  constructor(
    terminal: Pick<Terminal, 'version' | 'interrupt'>,
    { json }: { readonly json?: boolean },
    about: Pick<BackupsView, 'action' | 'dryRun'>,
  ) {
    this.#terminal = terminal
    this.#about = about
    this.#backups = new Spool(json ? 'file' : 'memory')
  }

  setFolder(folder: string): void {
    this.#folder = folder
  }

  add(backup: Backup): void {
    this.#count++
    this.#backups.add(backup)
  }

  /** A broken backup is damage; one whose check was not conclusive is that too. */
  addVerified({ kind, backup }: VerifiedEntry): void {
    this.add(backup)
    this.#codes.add({ sound: exitCodes.sound, broken: exitCodes.damaged, unclear: exitCodes.inconclusive }[kind])
  }

  addNotKept(notKept: UnkeptFile, code: ExitCode): void {
    this.#notKept.push(notKept)
    this.#codes.add(code)
  }

  get isEmpty(): boolean {
    return this.#count === 0 && this.#notKept.length === 0
  }

  exitCode(): ExitCode {
    return this.#exitCodeOf(gravest(this.#codes))
  }

  /** The gravest of the error itself and of what was found before it. */
  exitCodeOfError(error: unknown): ExitCode {
    const own = exitCodeOfError(error, this.#terminal.interrupt.exitCode())
    return this.#codes.size === 0 ? own : this.#exitCodeOf(gravest([own, ...this.#codes]))
  }

  /** A tenant that may be paused outweighs the signal, and the signal outweighs everything else. */
  #exitCodeOf(found: ExitCode): ExitCode {
    return found === exitCodes.maybePaused ? found : (this.#terminal.interrupt.exitCode() ?? found)
  }

  json({ exitCode, ending, failure }: ReportEnd<BackupsEnd>): Iterable<string> {
    const { action, dryRun } = this.#about
    return jsonDocument(
      { schema: 'holdfast.backups/1', tool: { version: this.#terminal.version }, action, folder: this.#folder, dryRun },
      'backups',
      this.#backups.all(),
      {
        notKept: this.#notKept,
        leftovers: ending?.leftovers ?? [],
        notReached: ending?.notReached ?? 0,
        ...(failure ? { failure } : {}),
        exitCode,
      },
    )
  }

  text({ ending }: ReportEnd<BackupsEnd>, options: TextOptions): Iterable<string> {
    const view = {
      ...this.#about,
      folder: this.#folder,
      backups: this.#backups.inMemory,
      notKept: this.#notKept,
      leftovers: ending?.leftovers ?? [],
      notReached: ending?.notReached ?? 0,
    }
    return [renderBackups(view, options)]
  }

  [Symbol.dispose](): void {
    this.#backups[Symbol.dispose]()
  }
}
