/** The program itself: its help, and its commands. */
import { Command } from 'commander'
import { hanging } from '../text/layout.ts'
import { inShownLetters } from '../text/letters.ts'
import { printableSentence } from '../text/printable.ts'
import { addAlerts } from './commands/alerts.ts'
import { addBackups } from './commands/backups.ts'
import { addCheck } from './commands/check.ts'
import { addCompare } from './commands/compare.ts'
import { addHistory } from './commands/history.ts'
import { addHolders } from './commands/holders.ts'
import { addPull } from './commands/pull.ts'
import { addReconcile } from './commands/reconcile.ts'
import { addRepair } from './commands/repair.ts'
import { addBundle } from './commands/reports/bundle.ts'
import { addReport } from './commands/reports/report.ts'
import { addRestore } from './commands/restore.ts'
import { addResume } from './commands/resume.ts'
import { addSalvage } from './commands/salvage.ts'
import { addCompletion } from './commands/setup/completion.ts'
import { addDoctor } from './commands/setup/doctor.ts'
import { addExplain } from './commands/setup/explain.ts'
import { addInit } from './commands/setup/init.ts'
import { addInstall } from './commands/setup/install.ts'
import { addStatus } from './commands/status.ts'
import { addSweep } from './commands/sweep.ts'
import { addTriage } from './commands/triage.ts'
import { Invocation } from './invocation.ts'
import type { Terminal } from './terminal/terminal.ts'

/** In the order of the help. */
const addAll = [
  addCheck,
  addSweep,
  addTriage,
  addStatus,
  addHistory,
  addAlerts,
  addReport,
  addBundle,
  addPull,
  addBackups,
  addCompare,
  addReconcile,
  addRepair,
  addRestore,
  addSalvage,
  addResume,
  addHolders,
  addInit,
  addDoctor,
  addInstall,
  addExplain,
  addCompletion,
]

/** @param words all words of the command line after `holdfast` */
export function openInvocation(terminal: Terminal, words: readonly string[]): Invocation {
  const invocation = new Invocation(describeProgram(terminal), terminal, words)
  for (const add of addAll) add(invocation)
  return invocation
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
        writeOut: (help) => void process.stdout.write(inShownLetters(wrapped(help, terminal.width))),
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

const wrapped = (text: string, width: number): string =>
  text
    .split('\n')
    .flatMap((line) => hanging(line, width))
    .join('\n')
