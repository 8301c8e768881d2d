import { Argument } from 'commander'
import { exitCodes } from '../../../model/exit-code.ts'
import { describeCommands } from '../../completion/command-tree.ts'
import type { Invocation } from '../../invocation.ts'
import { printText } from '../../printing/printer.ts'

const shells = ['bash', 'zsh', 'fish'] as const

export function addCompletion(invocation: Invocation): void {
  const { program, terminal } = invocation
  invocation
    .add('completion', printText)
    .description('print a script with which a shell completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell that reads it').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  source <(holdfast completion bash)            in ~/.bashrc
  holdfast completion zsh > "\${fpath[1]}/_holdfast"
  holdfast completion fish > ~/.config/fish/completions/holdfast.fish

Exit codes: 0 printed, 64 usage, 70 bug`,
    )
    .action((shell: (typeof shells)[number]) =>
      invocation.performWithoutProc(async () => {
        const tree = describeCommands(program)
        await terminal.out(await scriptOf[shell](tree))
        return exitCodes.sound
      }),
    )
}

type CommandTree = ReturnType<typeof describeCommands>

/** Loads only the one that is asked for. */
const scriptOf: Readonly<Record<(typeof shells)[number], (tree: CommandTree) => Promise<string>>> = {
  bash: async (tree) => (await import('../../completion/bash.ts')).bashCompletion(tree),
  zsh: async (tree) => (await import('../../completion/zsh.ts')).zshCompletion(tree),
  fish: async (tree) => (await import('../../completion/fish.ts')).fishCompletion(tree),
}
