/** The command line: parse, call, print, set the exit code. Nothing is ever cut off: the process ends by itself. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { argumentsOf } from '../host/files/file-name.ts'
import { keepHeapSmall } from '../host/garbage.ts'
import { requireProc } from '../host/platform.ts'
import { maskForOurselves } from '../host/process/file-mask.ts'
import { newRunId } from '../ledger/run-lock/run-id.ts'
import { exitCodes, type ExitCode } from '../model/exit-code.ts'
import { Failure } from '../model/failure.ts'
import type { Report } from '../model/result/report.ts'
import { renderNoStatus } from '../report/status/status-line.ts'
import { jsonText } from '../text/json-text.ts'
import { hanging } from '../text/layout.ts'
import { inShownLetters } from '../text/letters.ts'
import { printableSentence } from '../text/printable.ts'
import { addCheck } from './commands/check.ts'
import { addCompare } from './commands/compare.ts'
import { addDoctor } from './commands/doctor.ts'
import { addExplain } from './commands/explain.ts'
import { addHistory } from './commands/history.ts'
import { addHolders } from './commands/holders.ts'
import { addPull } from './commands/pull.ts'
import { addResume } from './commands/resume.ts'
import { addStatus } from './commands/status.ts'
import { addSweep } from './commands/sweep.ts'
import { ReportComparison } from './report-run/report-comparison.ts'
import { ReportRun } from './report-run/report-run.ts'
import { describeError, exitCodeOfError, reportError } from './terminal/errors.ts'
import { openTerminal, type Terminal } from './terminal/terminal.ts'
import { reportUncaught } from './terminal/uncaught.ts'

export type Act = (work: () => Promise<ExitCode>) => Promise<void>

keepHeapSmall() // Before it has grown.
maskForOurselves()
const face = openTerminal()
reportUncaught(face)
process.exitCode = exitCodes.bug // Should it ever come to its end without an answer.
void answer()

async function answer(): Promise<void> {
  const argv = argumentsOf(process.argv, readCommandLine())
  process.exitCode = await tellLost(await runCommandLine(argv, face), argv, face)
}

/** null where the system has no such file. */
function readCommandLine(): Buffer | null {
  try {
    return readFileSync('/proc/self/cmdline')
  } catch {
    return null
  }
}

async function runCommandLine(argv: readonly string[], face: Terminal): Promise<ExitCode> {
  let code = exitCodes.sound as ExitCode // Set by the command that is carried out.
  const act: Act = async (work) => {
    requireProc()
    code = await work()
  }
  const program = describeProgram(face)
  for (const add of [
    addCheck,
    addSweep,
    addStatus,
    addHistory,
    addPull,
    addCompare,
    addResume,
    addHolders,
    addDoctor,
    addExplain,
  ])
    add(program, face, act)
  for (const command of program.commands) command.exitOverride()
  try {
    await program.parseAsync(argv)
    // A report has its exit code in it: a signal that comes while it is printed changes nothing.
    return code === exitCodes.maybePaused || printsReport(argv) ? code : (face.interrupt.exitCode() ?? code)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.sound : refuse(face, argv, error)
    reportError(face, error)
    return answerTrouble(face, argv, error, exitCodeOfError(error, face.interrupt.exitCode()))
  }
}

/** Who asked for a document, or for the line of a monitor, gets one of a command that failed too. */
async function answerTrouble(
  face: Terminal,
  argv: readonly string[],
  error: unknown,
  exitCode: ExitCode,
): Promise<ExitCode> {
  if (face.printed()) return exitCode
  if (answersMonitor(argv)) {
    const { code, message } = describeError(error, face.commandLine)
    await face.print(renderNoStatus(`${code}: ${message}`))
    return exitCodes.inconclusive // 3 is UNKNOWN to a monitor.
  }
  if (argv.includes('--json'))
    await face.out(
      `${jsonText({ schema: 'holdfast.failure/1', tool: { version: face.version }, failure: describeError(error, face.commandLine), exitCode })}\n`,
    )
  return exitCode
}

/**
 * A line of this shape is asked for by programs that look at the exit code and show the line. Of several formats the
 * last counts; `--json` goes before all, and a tenant may be called as a format is.
 */
function answersMonitor(argv: readonly string[]): boolean {
  if (argv[2] !== 'status' || argv.includes('--json')) return false
  const given = argv.flatMap((word, at) =>
    word === '--format' ? [argv[at + 1]] : word.startsWith('--format=') ? [word.slice('--format='.length)] : [],
  )
  return ['nagios', 'monit'].includes(given.at(-1) ?? '')
}

/**
 * A report that was lost is no success. The error of a write is told a turn after it. To a monitor it is UNKNOWN (3)
 * whatever was found, but for what is CRITICAL (2): its exit code is still heard.
 */
async function tellLost(exitCode: ExitCode, argv: readonly string[], face: Terminal): Promise<ExitCode> {
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  const lost = face.lost()
  if (lost === null) return exitCode
  face.say(`holdfast: what it had to print could not be written: ${lost}`)
  if (answersMonitor(argv)) return exitCode === exitCodes.damaged ? exitCode : exitCodes.inconclusive
  return exitCode === exitCodes.sound ? exitCodes.failed : exitCode
}

/** A command line that was not understood: commander has said why. Who asked for a document still gets one. */
async function refuse(face: Terminal, argv: readonly string[], { message }: CommanderError): Promise<ExitCode> {
  const mode = printsReport(argv)
  if (mode === undefined)
    return answerTrouble(face, argv, new Failure('USAGE', message.replace(/^error: /, '')), exitCodes.usage)
  if (!argv.includes('--json')) return exitCodes.usage
  const silent: Terminal = { ...face, say: () => undefined }
  const fail = (): Promise<never> => Promise.reject(new Failure('USAGE', message.replace(/^error: /, '')))
  if (mode === 'compare') {
    using outcome = new ReportComparison(silent, { json: true }, { id: newRunId(), given: null })
    return await outcome.of(fail)
  }
  using outcome = new ReportRun(silent, { json: true }, { id: newRunId(), mode, registry: 'none' })
  return await outcome.of(fail)
}

/** The mode of the report that this command line asks for; undefined where it asks for something else. */
function printsReport(argv: readonly string[]): Report['run']['mode'] | 'compare' | undefined {
  const [, , command] = argv
  return command === 'check' || command === 'sweep' || command === 'pull' || command === 'compare' ? command : undefined
}

function describeProgram(face: Terminal): Command {
  const helpWidth = 80 // The examples are written for that.
  return new Command('holdfast')
    .description("Checks every tenant's SQLite database of a running service, and cannot be the thing that breaks it.")
    .version(face.version)
    .showSuggestionAfterError()
    .showHelpAfterError('(`holdfast --help` lists the commands)')
    .exitOverride()
    .configureOutput({
      writeOut: (help) =>
        void process.stdout.write(
          inShownLetters(
            help
              .split('\n')
              .flatMap((line) => hanging(line, face.width))
              .join('\n'),
          ),
        ),
      writeErr: (text) =>
        text
          .trimEnd()
          .split('\n')
          .forEach((line) => face.say(printableSentence(line))),
      getOutHelpWidth: () => Math.min(face.width, helpWidth),
      getErrHelpWidth: () => Math.min(face.aside.width, helpWidth),
    })
    .addHelpText(
      'after',
      `
Examples:
  holdfast check app.db                    one file that nobody has open
  holdfast sweep                           every tenant of the service
  holdfast sweep --only 'a*' --json        some of them, for a program
  holdfast explain IN_USE                  what a finding or a failure means

The sections alerts, backups, registry and sweep of holdfast.yaml are not
in this version: a file that has one of them is refused, with its line.

Exit codes: 0 sound, 1 failed, 2 damaged, 3 inconclusive,
  4 a tenant may be paused, 5 compared and different, 64 usage, 70 bug,
  75 busy (try later), 78 configuration, 129/130/131/143 ended by a signal`,
    )
}
