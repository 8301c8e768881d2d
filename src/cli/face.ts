/** Our side of the terminal: data on stdout, progress and faults on stderr; a reader that goes away ends nothing. */
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { invariant } from '../model/bug.ts'
import { withConfigurations, type CommandLine } from '../report/hint.ts'
import { commandLineOf } from './command-line.ts'
import { listenForSignals, type Interrupt } from './interrupt.ts'

export interface Face {
  readonly version: string
  readonly commandLine: CommandLine
  readonly interrupt: Interrupt
  readonly color: boolean
  readonly width: number
  readonly stderrIsTty: boolean
  /** Writes data. Resolves once it is handed on, so that nothing large waits in memory. */
  out(text: string): Promise<void>
  /** Was anything written there? */
  readonly printed: () => boolean
  /** Why data was lost on its way, such as a disk that is full; null where none was, or nobody reads any more. */
  readonly lost: () => string | null
  /** Writes a line for the person. */
  say(sentence: string): void
}

export function openFace(): Face {
  // A closed pipe (EPIPE) never ends a hold: what nobody reads is dropped. What a full disk drops is told at the end.
  let stdoutIsOpen = true
  let printed = false
  let lost: string | null = null
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    stdoutIsOpen = false
    if (error.code !== 'EPIPE') lost ??= error.message
  })
  process.stderr.on('error', () => undefined)
  const commandLine = commandLineOf(process.argv)
  const say = (sentence: string): void => void process.stderr.write(`${withConfigurations(sentence, commandLine.config)}\n`)
  return {
    version: readVersion(), commandLine, say,
    interrupt: listenForSignals(say),
    color: isTerminal(process.stdout) && (process.env['NO_COLOR'] ?? '') === '',
    width: widthOf(process.stdout.columns),
    stderrIsTty: isTerminal(process.stderr),
    out: (text) => new Promise((resolve) => {
      printed = true
      if (!stdoutIsOpen) return resolve()
      process.stdout.write(text, () => resolve())
    }),
    printed: () => printed, lost: () => lost,
  }
}

/** Typed as a boolean, and undefined for a pipe: which a library of colours would take for "as you like". */
const isTerminal = (stream: NodeJS.WriteStream): boolean => (stream as { isTTY?: boolean }).isTTY === true

/** Neither a terminal that says it has no columns nor a very narrow or wide one is taken at its word. */
const widthOf = (columns: number | undefined): number => (columns === undefined || columns === 0 ? 80 : Math.max(40, Math.min(columns, 120)))

function readVersion(): string {
  const ours = findPackageJSON(import.meta.url)
  invariant(ours, 'our package has a package.json')
  return (JSON.parse(readFileSync(ours, 'utf8')) as { version: string }).version
}
