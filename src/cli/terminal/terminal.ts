/** Our side of the terminal: data on stdout, progress and errors on stderr. A reader that goes away ends nothing. */
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { inWords, isSystemError } from '../../host/failures/system-failure.ts'
import { invariant } from '../../model/bug.ts'
import { withConfigurations, type CommandLine } from '../../report/text/hint.ts'
import { wrapHanging } from '../../text/layout.ts'
import { inShownLetters, showAsciiOnly } from '../../text/letters.ts'
import { commandLineOf } from '../command-line.ts'
import { listenForSignals, type Interrupt } from '../run/interrupt.ts'
import { drawsLines, hasColors, isTerminal, isUtf8, widthOf } from './terminal-features.ts'

export interface Terminal {
  readonly version: string
  readonly commandLine: CommandLine
  readonly interrupt: Interrupt
  readonly color: boolean
  /** Columns at which text on stdout is wrapped; Infinity: not at all. */
  readonly width: number
  /** Whether stdout is a terminal, so that names in tables are cut to fit. */
  readonly cuts: boolean
  /** Of stderr: where lines are wrapped, whether it has colours, and whether a line can be drawn again. */
  readonly aside: { readonly width: number; readonly color: boolean; readonly drawsLines: boolean }
  /** Writes data unchanged. Resolves when the system has taken it, so that nothing large waits in memory. */
  out(data: string): Promise<void>
  /** Writes text for people, in letters that the terminal can show. */
  print(text: string): Promise<void>
  /** Whether anything was written to stdout. */
  readonly hasPrinted: () => boolean
  /** Why output was lost, such as a full disk; null if none was, or if its reader closed the pipe. */
  readonly whyLost: () => string | null
  /** Writes a sentence for the person on stderr. */
  say(sentence: string): void
  /** Writes a line for a program on stderr. */
  log(line: string): void
}

export function openTerminal(): Terminal {
  const stdout = openStdout()
  process.stderr.on('error', () => undefined)
  const commandLine = commandLineOf(process.argv)
  showAsciiOnly(!isUtf8(process.env))
  const aside = {
    width: widthOf(process.stderr, process.env),
    color: hasColors(process.stderr, process.env),
    drawsLines: drawsLines(process.stderr, process.env),
  }
  const log = (line: string): void => void process.stderr.write(`${line}\n`)
  const say = (sentence: string): void =>
    withConfigurations(sentence, commandLine.config)
      .split('\n')
      .flatMap((line) => wrapHanging(line, aside.width))
      .forEach(log)
  return {
    ...stdout,
    version: readVersion(),
    commandLine,
    say,
    log,
    aside,
    interrupt: listenForSignals(say),
    color: hasColors(process.stdout, process.env),
    width: widthOf(process.stdout, process.env),
    cuts: isTerminal(process.stdout),
    print: (text) => stdout.out(inShownLetters(text)),
  }
}

/** A closed pipe (EPIPE) never ends a hold: output without a reader is dropped. `main` reports every other loss. */
function openStdout(): Pick<Terminal, 'out' | 'hasPrinted' | 'whyLost'> {
  let isOpen = true
  let printed = false
  let lost: string | null = null
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    isOpen = false
    if (error.code !== 'EPIPE') lost ??= isSystemError(error) ? inWords(error) : error.message
  })
  const out = (data: string): Promise<void> =>
    new Promise((resolve) => {
      printed = true
      if (!isOpen) return resolve()
      process.stdout.write(data, () => resolve())
    })
  return { out, hasPrinted: () => printed, whyLost: () => lost }
}

function readVersion(): string {
  const ours = findPackageJSON(import.meta.url)
  invariant(ours, 'our package has a package.json')
  return (JSON.parse(readFileSync(ours, 'utf8')) as { version: string }).version
}
