/** Completion for bash. @see bash(1), Programmable Completion */
import { allCommands, type CompletedCommand } from './command-tree.ts'

export function bashCompletion(program: CompletedCommand): string {
  const commands = allCommands(program)
  return `# Completion of holdfast for bash. Add to ~/.bashrc: source <(holdfast completion bash)
_holdfast() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command $word" in
${commands
  .filter(({ words }) => words.length > 0)
  .map((command) => `      ${pattern(command)}) command="$command $word" ;;`)
  .join('\n')}
    esac
  done
  COMPREPLY=()
  case "$command $prev" in
${commands.flatMap(values).join('\n')}
  esac
  case "$command" in
${commands.map(wordsOf).join('\n')}
  esac
  if [[ $cur != -* ]]; then words=\${words%%|*}; else words=\${words#*|}; fi
  if [[ -z $words ]]; then compopt -o default; return; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _holdfast holdfast
`
}

const nameOf = ({ words }: CompletedCommand): string => words.map((word) => ` ${word}`).join('')
const pattern = (command: CompletedCommand): string => `'${nameOf(command)}'`

/** The values of its options: choices, or names of files. */
const values = (command: CompletedCommand): readonly string[] =>
  command.options
    .filter(({ takesValue }) => takesValue)
    .map(({ flag, choices }) => {
      const reply =
        choices.length === 0 ? 'compopt -o default' : `COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$cur"))`
      return `    '${nameOf(command)} ${flag}') ${reply}; return ;;`
    })

/** Words that are no options, and options, with a bar between. */
const wordsOf = (command: CompletedCommand): string => {
  const plain = [...command.commands.map(({ words }) => words.at(-1)), ...command.choices]
  const flags = command.options.map(({ flag }) => flag)
  return `    ${pattern(command)}) words='${plain.join(' ')}|${flags.join(' ')}' ;;`
}
