/** Completion for fish. @see fish_complete(1) */
import { allCommands, type CompletedCommand, type CompletedOption } from './command-tree.ts'

export const fishCompletion = (program: CompletedCommand): string =>
  [
    '# Completion of holdfast for fish: holdfast completion fish > ~/.config/fish/completions/holdfast.fish',
    ...allCommands(program).flatMap((command) => [
      ...command.commands.map(
        ({ words, description }) =>
          `complete -c holdfast -f -n ${quote(whenIn(command))} ` +
          `-a ${quote(words.at(-1) ?? '')} -d ${quote(description)}`,
      ),
      ...(command.choices.length === 0
        ? []
        : [`complete -c holdfast -f -n ${quote(whenIn(command))} -a ${quote(command.choices.join(' '))}`]),
      ...command.options.map((option) => optionLine(command, option)),
    ]),
    '',
  ].join('\n')

function optionLine(command: CompletedCommand, { flag, description, choices, takesValue }: CompletedOption): string {
  const value = choices.length > 0 ? ` -x -a ${quote(choices.join(' '))}` : takesValue ? ' -r' : ''
  return `complete -c holdfast -n ${quote(whenIn(command))} -l ${flag.slice(2)}${value} -d ${quote(description)}`
}

/** All words of the command were typed, and no command below it. */
function whenIn({ words, commands }: CompletedCommand): string {
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`)
  const below = commands.map((command) => command.words.at(-1)).join(' ')
  const not = below === '' ? [] : [`not __fish_seen_subcommand_from ${below}`]
  return [...seen, ...not].join('; and ')
}

const quote = (text: string): string => `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`
