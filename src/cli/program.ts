/** The program itself: its help, and its commands. */
import { Command } from 'commander'
import { wrapHanging } from '../text/layout.ts'
import { inShownLetters } from '../text/letters.ts'
import { printableSentence } from '../text/printable.ts'
import { Invocation } from './invocation.ts'
import type { Terminal } from './terminal/terminal.ts'

/** In the order of the help. Each is loaded only if it is needed. */
const commands: Readonly<Record<string, () => Promise<(invocation: Invocation) => void>>> = {
  check: async () => (await import('./run-commands.ts')).addCheck,
  sweep: async () => (await import('./run-commands.ts')).addSweep,
  triage: async () => (await import('./commands/triage.ts')).addTriage,
  status: async () => (await import('./commands/status.ts')).addStatus,
  history: async () => (await import('./commands/history.ts')).addHistory,
  alerts: async () => (await import('./run-commands.ts')).addAlerts,
  report: async () => (await import('./run-commands.ts')).addReport,
  bundle: async () => (await import('./run-commands.ts')).addBundle,
  pull: async () => (await import('./run-commands.ts')).addPull,
  backups: async () => (await import('./run-commands.ts')).addBackups,
  compare: async () => (await import('./run-commands.ts')).addCompare,
  reconcile: async () => (await import('./run-commands.ts')).addReconcile,
  repair: async () => (await import('./run-commands.ts')).addRepair,
  restore: async () => (await import('./run-commands.ts')).addRestore,
  salvage: async () => (await import('./run-commands.ts')).addSalvage,
  resume: async () => (await import('./run-commands.ts')).addResume,
  agent: async () => (await import('./commands/fleet/agent.ts')).addAgent,
  holders: async () => (await import('./commands/holders.ts')).addHolders,
  coordinator: async () => (await import('./commands/fleet/coordinator.ts')).addCoordinator,
  fleet: async () => (await import('./fleet-commands.ts')).addFleet,
  init: async () => (await import('./commands/setup/init.ts')).addInit,
  doctor: async () => (await import('./run-commands.ts')).addDoctor,
  install: async () => (await import('./commands/setup/install.ts')).addInstall,
  explain: async () => (await import('./commands/setup/explain.ts')).addExplain,
  completion: async () => (await import('./commands/setup/completion.ts')).addCompletion,
}

/** @param words all words of the command line after `holdfast` */
export async function openInvocation(terminal: Terminal, words: readonly string[]): Promise<Invocation> {
  const invocation = new Invocation(describeProgram(terminal), terminal, words)
  for (const load of neededBy(words)) (await load())(invocation)
  return invocation
}

/** The command that is called. Helps, completion and a command line that names none need all. */
function neededBy([first = '']: readonly string[]): readonly (typeof commands)[string][] {
  if (['--version', '-V'].includes(first)) return []
  const called = first !== 'completion' && Object.hasOwn(commands, first) ? commands[first] : undefined
  return called === undefined ? Object.values(commands) : [called]
}

/** Helps are written for a terminal of this width. */
const helpWidth = 80

function describeProgram(terminal: Terminal): Command {
  return (
    new Command('holdfast')
      .description(
        "Checks every tenant's SQLite database of a running service, and cannot be the thing that breaks it.",
      )
      .version(terminal.version)
      .showSuggestionAfterError()
      .showHelpAfterError('(`holdfast --help` lists the commands)')
      .exitOverride()
      // Commander leaves a column unwrapped that is narrower than this.
      .configureHelp({ minWidthToWrap: 30 })
      .configureOutput({
        writeOut: (help) => void terminal.out(inShownLetters(wrapLines(help, terminal.width))),
        writeErr: (text) => {
          for (const line of text.trimEnd().split('\n')) terminal.say(printableSentence(line))
        },
        getOutHelpWidth: () => Math.min(terminal.width, helpWidth),
        getErrHelpWidth: () => Math.min(terminal.aside.width, helpWidth),
      })
      .addHelpText(
        'after',
        `
Examples:
  holdfast check app.db                    one file that no program has open
  holdfast sweep                           every tenant of the service
  holdfast sweep --only 'a*' --json        some tenants, for a program
  holdfast repair app.db                   a remedy, tried on a copy
  holdfast explain IN_USE                  what a finding or a failure means

Exit codes: 0 sound, 1 failed, 2 damaged, 3 inconclusive,
  4 a tenant may be paused, 5 compared and different, 64 usage, 70 bug,
  75 busy (try later), 78 configuration, 129/130/131/143 ended by a signal`,
      )
  )
}

const wrapLines = (text: string, width: number): string =>
  text
    .split('\n')
    .flatMap((line) => wrapHanging(line, width))
    .join('\n')
