/** Prints the man page holdfast(1): the helps of the program and of all of its commands. */
import type { Command } from 'commander'
import { openInvocation } from '../../src/cli/program.ts'
import { openTerminal } from '../../src/cli/terminal/terminal.ts'

const { program, terminal } = await openInvocation(openTerminal(), [])
const commands = program.commands.flatMap((command) => [command, ...command.commands])

process.stdout.write(
  [
    `.TH HOLDFAST 1 "" "holdfast ${terminal.version}" "User Commands"`,
    '.SH NAME',
    `holdfast \\- ${text('check and mend the SQLite databases of a running service')}`,
    '.SH SYNOPSIS',
    '.B holdfast',
    '.I command',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    ...verbatim(helpOf(program)),
    '.SH COMMANDS',
    ...commands.flatMap((command) => [`.SS ${text(nameOf(command))}`, ...verbatim(helpOf(command))]),
    '.SH FILES',
    text('holdfast.yaml, /etc/holdfast/holdfast.yaml: the configuration. `holdfast explain KEY` describes each key.'),
    '',
  ].join('\n'),
)

function nameOf(command: Command): string {
  const { parent } = command
  return parent === null ? command.name() : `${nameOf(parent)} ${command.name()}`
}

/** As `--help` prints it, with the examples. */
function helpOf(command: Command): string {
  let help = ''
  command.configureOutput({ writeOut: (part) => (help += part), getOutHelpWidth: () => 76 }).outputHelp()
  return help.trimEnd()
}

function verbatim(help: string): readonly string[] {
  return ['.nf', ...help.split('\n').map(text), '.fi']
}

/** A line that roff prints as it is: no request, no escape; hyphens and quotes that can be copied. */
function text(line: string): string {
  const plain = line
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replaceAll("'", String.raw`\(aq`)
    .replaceAll('`', String.raw`\(ga`)
  return /^[.']/.test(plain) ? String.raw`\&${plain}` : plain
}
