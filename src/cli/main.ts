/**
 * The command line: parse, call, print, set the exit code. Node then ends by itself, because `process.exit` could cut
 * the output. If a read is stuck in the kernel, `endProcess` ends it after the output was written.
 */
import { readFileSync } from 'node:fs'
import { CommanderError } from 'commander'
import { argumentsOf } from '../host/files/file-name.ts'
import { keepHeapSmall } from '../host/garbage.ts'
import { endProcess } from '../host/libc.ts'
import { restrictFileMask } from '../host/process/file-mask.ts'
import { isReadStuck } from '../host/process/read-of-process.ts'
import { exitCodes, type ExitCode } from '../model/exit-code.ts'
import { Failure } from '../model/failure.ts'
import { endTracing, startTracing } from './log/tracing.ts'
import type { Printer } from './printing/printer.ts'
import { openInvocation } from './program.ts'
import { reportError } from './terminal/errors.ts'
import { openTerminal } from './terminal/terminal.ts'
import { reportUncaught } from './terminal/uncaught.ts'

restrictFileMask()
const terminal = openTerminal()
reportUncaught(terminal)
process.exitCode = exitCodes.bug // Stays if the process ends before it has an answer.
const invocation = await openInvocation(terminal, argumentsOf(process.argv, readCommandLine()).slice(2))
keepHeapSmall() // The modules are loaded, and nothing else has used memory yet.
void main()

/** Runs the command line, and sets the exit code. If output was lost, the exit code says so. */
async function main(): Promise<void> {
  const exitCode = await run()
  const last = await reportLostOutput(exitCode, invocation.printer)
  process.exitCode = last
  // Node would wait for a stuck read for ever. The output was written before.
  if (isReadStuck()) endProcess(last)
}

/** The words with all their bytes: Node replaces those that are not UTF-8. null on a system without that file. */
function readCommandLine(): Buffer | null {
  try {
    return readFileSync('/proc/self/cmdline')
  } catch {
    return null
  }
}

async function run(): Promise<ExitCode> {
  try {
    await startTracing(terminal.version, (sentence) => terminal.say(sentence))
    return await invocation.run()
  } catch (error) {
    if (error instanceof CommanderError) return await exitCodeOfRefused(error, invocation.printerOfRefused)
    reportError(terminal, error)
    return await invocation.printer.failure(error)
  } finally {
    await endTracing()
  }
}

/**
 * The exit code of a command line that Commander did not pass to a command. Commander has printed the help or the
 * version, or has reported on stderr why it refuses the command line.
 */
async function exitCodeOfRefused({ exitCode, code, message }: CommanderError, printer: Printer): Promise<ExitCode> {
  // `holdfast help` has an exit code of 70 here, because Commander takes that of the process. It prints on stdout.
  if (exitCode === 0 || (code === 'commander.help' && terminal.hasPrinted())) return exitCodes.sound
  const why = code === 'commander.help' ? 'this names no command' : message.replace(/^error: /, '')
  return printer.failure(new Failure('USAGE', why))
}

/** A report that was lost is no success. */
async function reportLostOutput(exitCode: ExitCode, printer: Printer): Promise<ExitCode> {
  // Node reports the error of a write one turn of the event loop later.
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  const lost = terminal.whyLost()
  if (lost === null) return exitCode
  terminal.say(`holdfast: the output could not be written: ${lost}`)
  return printer.exitCodeOfLost(exitCode)
}
