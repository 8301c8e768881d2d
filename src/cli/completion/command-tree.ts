/** What a shell can complete of the command line: commands, options, and their choices. */
import type { Command, Option } from 'commander'

export interface CompletedOption {
  /** As typed: `--depth`. */
  readonly flag: string
  readonly description: string
  /** Empty where any value is allowed. */
  readonly choices: readonly string[]
  readonly takesValue: boolean
}

export interface CompletedCommand {
  /** The words after `holdfast`: `backups list`. Empty for the program itself. */
  readonly words: readonly string[]
  readonly description: string
  readonly options: readonly CompletedOption[]
  /** The commands below it. */
  readonly commands: readonly CompletedCommand[]
  /** Choices of its arguments; empty where any word is allowed, such as the name of a file. */
  readonly choices: readonly string[]
}

export const describeCommands = (program: Command): CompletedCommand => describe(program, [])

/** The command and all below it. */
export const allCommands = (command: CompletedCommand): readonly CompletedCommand[] => [
  command,
  ...command.commands.flatMap(allCommands),
]

function describe(command: Command, words: readonly string[]): CompletedCommand {
  const help = command.createHelp()
  const isCommand = (other: Command): boolean => other.name() !== 'help'
  return {
    words,
    description: command.description(),
    options: help.visibleOptions(command).flatMap(describeOption),
    commands: help
      .visibleCommands(command)
      .filter(isCommand)
      .map((inner) => describe(inner, [...words, inner.name()])),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  }
}

function describeOption({ long, description, argChoices, required, optional }: Option): readonly CompletedOption[] {
  if (long == null) return []
  return [{ flag: long, description, choices: argChoices ?? [], takesValue: required || optional }]
}
