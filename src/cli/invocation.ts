/** One call of the program: the commands that it has, which of them runs, and how that one prints. */
import type { Command } from 'commander'
import { requireProc } from '../host/platform.ts'
import { exitCodes, type ExitCode } from '../model/exit-code.ts'
import { givenOptions } from './printing/given-options.ts'
import { textOrDocument, type ChoosePrinter, type Printer } from './printing/printer.ts'
import type { Terminal } from './terminal/terminal.ts'

export interface CommandGroup {
  readonly command: Command
  /** As `Invocation.add`, below the group. */
  add(name: string, choose: ChoosePrinter): Command
}

export class Invocation {
  readonly program: Command
  readonly terminal: Terminal
  readonly #words: readonly string[]
  readonly #choices = new Map<Command, ChoosePrinter>()
  #printer: Printer
  /** null until commander has found the command. */
  #command: Command | null = null
  #exitCode: ExitCode = exitCodes.sound

  /** @param words all words of the command line after `holdfast` */
  constructor(program: Command, terminal: Terminal, words: readonly string[]) {
    this.program = program
    this.terminal = terminal
    this.#words = words
    // Counts until commander has found the command, and so for a command that does not exist.
    this.#printer = textOrDocument(terminal, givenOptions(['--json'], words))
    this.#chooseWhenFound(program)
  }

  /** Adds a command. @param choose how it prints; decided before commander checks its options */
  add(name: string, choose: ChoosePrinter): Command {
    return this.#addTo(this.program, name, choose)
  }

  /** Adds a command that has commands of its own, and runs nothing by itself. */
  addGroup(name: string): CommandGroup {
    const group = this.program.command(name).showHelpAfterError(`(\`holdfast ${name} --help\` lists its commands)`)
    this.#chooseWhenFound(group)
    return { command: group, add: (child, choose) => this.#addTo(group, child, choose) }
  }

  #addTo(parent: Command, name: string, choose: ChoosePrinter): Command {
    const words = parent === this.program ? name : `${parent.name()} ${name}`
    const command = parent
      .command(name)
      .showHelpAfterError(`(\`holdfast ${words} --help\` shows its arguments and options)`)
    this.#choices.set(command, choose)
    return command
  }

  #chooseWhenFound(parent: Command): void {
    parent.hook('preSubcommand', (_, command) => {
      this.#command = command
      this.#printer = this.#choosePrinter(command, (flags) => flags)
    })
  }

  /** How the command prints that was called. */
  get printer(): Printer {
    return this.#printer
  }

  /**
   * How a command line is answered that commander refuses. There an option may lack its value, for example an empty
   * variable of a script. Then it does not take the next option for its value.
   */
  get printerOfRefused(): Printer {
    return this.#command === null ? this.#printer : this.#choosePrinter(this.#command, withOptionalValue)
  }

  /** Parses the command line and runs its command. @returns the exit code @throws what the command throws */
  async run(): Promise<ExitCode> {
    await this.program.parseAsync(this.#words, { from: 'user' })
    return this.#printer.exitCode(this.#exitCode)
  }

  /** Runs the work of a command on files or tenants. @throws {Failure} PLATFORM_UNSUPPORTED without /proc */
  async perform(work: () => Promise<ExitCode>): Promise<void> {
    requireProc()
    await this.performWithoutProc(work)
  }

  /** Runs the work of a command that needs nothing of the machine. */
  async performWithoutProc(work: () => Promise<ExitCode>): Promise<void> {
    this.#exitCode = await work()
  }

  #choosePrinter(command: Command, flagsOf: (flags: string) => string): Printer {
    const flags = command.options.map((option) => flagsOf(option.flags))
    // Commander leaves to the command what the program itself does not know.
    const given = givenOptions(flags, this.program.parseOptions([...this.#words]).unknown)
    return (this.#choices.get(command) ?? textOrDocument)(this.terminal, given)
  }
}

/** `--max-age <age>` as `--max-age [age]`: such an option takes no word that is an option. */
const withOptionalValue = (flags: string): string => flags.replace('<', '[').replace('>', ']')
