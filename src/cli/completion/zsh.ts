/** Completion for zsh. @see zshcompsys(1) */
import { allCommands, type CompletedCommand, type CompletedOption } from './command-tree.ts'

export const zshCompletion = (program: CompletedCommand): string => `#compdef holdfast
# Completion of holdfast for zsh: holdfast completion zsh > "\${fpath[1]}/_holdfast"
${allCommands(program).map(functionOf).join('\n')}
compdef ${nameOf(program)} holdfast
`

function functionOf(command: CompletedCommand): string {
  const options = command.options.map((option) => `    ${quote(specificationOf(option))}`)
  const { commands } = command
  if (commands.length === 0) {
    const rest = command.choices.length > 0 ? `*:word:(${command.choices.join(' ')})` : '*:file:_files'
    return `${nameOf(command)}() {
  _arguments -s \\
${[...options, `    ${quote(rest)}`].join(' \\\n')}
}`
  }
  const described = commands.map(
    (inner) => `    ${quote(`${last(inner)}:${inner.description.replaceAll(':', '\\:')}`)}`,
  )
  return `${nameOf(command)}() {
  local -a commands
  commands=(
${described.join('\n')}
  )
  _arguments -C -s \\
${[...options, "    '1:command:->command'", "    '*::argument:->argument'"].join(' \\\n')}
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
${commands.map((inner) => `        ${last(inner)}) ${nameOf(inner)} ;;`).join('\n')}
      esac ;;
  esac
}`
}

const last = ({ words }: CompletedCommand): string => words.at(-1) ?? ''
const nameOf = ({ words }: CompletedCommand): string => ['_holdfast', ...words].join('_')

function specificationOf({ flag, description, choices, takesValue }: CompletedOption): string {
  const said = `${flag}[${description.replaceAll(/[[\]:\\]/g, String.raw`\$&`)}]`
  if (choices.length > 0) return `${said}:value:(${choices.join(' ')})`
  return takesValue ? `${said}:value:_files` : said
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
