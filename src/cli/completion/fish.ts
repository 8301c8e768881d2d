/** Completion for fish. @see fish_complete(1) */
import { allCommands, type CompletedCommand, type CompletedOption } from './command-tree.ts'

export const fishCompletion = (program: CompletedCommand): string =>
  [
    '# Completion of holdfast for fish: holdfast completion fish > ~/.config/fish/completions/holdfast.fish',
    ...allCommands(program).flatMap((command) => [
      ...command.commands.map(
        ({ words, description }) =>
          `complete -c holdfast -f -n ${quoted(whenIn(command))} ` +
          `-a ${quoted(words.at(-1) ?? '')} -d ${quoted(description)}`,
      ),
      ...(command.choices.length === 0
        ? []
        : [`complete -c holdfast -f -n ${quoted(whenIn(command))} -a ${quoted(command.choices.join(' '))}`]),
      ...command.options.map((option) => optionLine(command, option)),
    ]),
    '',
  ].join('\n')

function optionLine(command: CompletedCommand, { flag, description, choices, takesValue }: CompletedOption): string {
  const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r' : ''
  return `complete -c holdfast -n ${quoted(whenIn(command))} -l ${flag.slice(2)}${value} -d ${quoted(description)}`
}

/** All words of the command were typed, and no command below it. */
function whenIn({ words, commands }: CompletedCommand): string {
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`)
  const below = commands.map((command) => command.words.at(-1)).join(' ')
  const not = below === '' ? [] : [`not __fish_seen_subcommand_from ${below}`]
  return [...seen, ...not].join('; and ')
}

const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`
