import { existsSync, unlinkSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defaultLedgerDir } from '../../../config/defaults.ts'
import { loadSettings } from '../../../config/load.ts'
import { findOpenDatabases, type OpenDatabases } from '../../../hold/live/open-databases.ts'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { exitCodes, type ExitCode } from '../../../model/exit-code.ts'
import { Failure } from '../../../model/failure.ts'
import { configurationText } from '../../../report/init/configuration-text.ts'
import { splitByLifetime } from '../../../report/init/temporary-files.ts'
import { count } from '../../../text/count.ts'
import { jsonText } from '../../../text/json-text.ts'
import { printableSentence } from '../../../text/printable.ts'
import { shellWord } from '../../../text/shell-words.ts'
import type { Invocation } from '../../invocation.ts'
import { withCommon, type CommonOptions } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import type { Terminal } from '../../terminal/terminal.ts'

interface InitOptions extends CommonOptions {
  readonly print?: boolean
}

const usualFile = 'holdfast.yaml'

export function addInit(invocation: Invocation): void {
  withCommon(
    invocation
      .add('init', textOrDocument)
      .description('look which databases programs have open on this machine, and write a holdfast.yaml for them'),
    'holdfast.init/1',
  )
    .option('--print', 'print the configuration instead of writing it')
    .addHelpText(
      'after',
      `
init finds the SQLite databases that running programs have open. It reads the
first 100 bytes of each, locks nothing and changes nothing. Then it writes a
configuration with a comment for each database: its program, user and unit of
systemd, its journal mode and size. No program has to stop for the checks of
that configuration. A database in /tmp, /var/tmp or /dev/shm is named in a
comment only. A configuration that is there already is never overwritten.
Only root sees the files of all programs.

Examples:
  holdfast init                                   writes holdfast.yaml here
  holdfast init --config /etc/holdfast/holdfast.yaml
  holdfast init --print                           only shows it
  holdfast init --json | jq .databases            what was found, as JSON

Exit codes: 0 written or printed, 1 failed, 64 usage (such as a file that is
  there already), 70 bug, 78 another user could change the file there,
  129/130/131/143 ended by a signal`,
    )
    .action((options: InitOptions) => invocation.perform(() => init(options, invocation.terminal)))
}

async function init(options: InitOptions, terminal: Terminal): Promise<ExitCode> {
  const file = resolve(options.config ?? usualFile)
  const prints = options.print === true
  if (!prints) requireAbsent(file)
  const found = withoutOwn(await findOpenDatabases(terminal.interrupt.signal))
  const isRoot = process.geteuid?.() === 0
  const text = configurationText(found, { version: terminal.version, at: Date.now(), isRoot })
  // Loaded here, with its libraries. What is written must be what holdfast accepts.
  const { parseSettings } = await import('../../../config/parse.ts')
  parseSettings(text, file)
  if (!prints) await writeAccepted(file, text)
  if (options.json) {
    const { databases, unusable, unseen } = found
    const document = { schema: 'holdfast.init/1', tool: { version: terminal.version }, file, text }
    await terminal.out(`${jsonText({ ...document, written: !prints, databases, unusable, unseen })}\n`)
  } else if (prints) await terminal.out(text)
  else if (!options.quiet) await terminal.print(`${summaryOf(found)}\nwrote ${shellWord(file)}\n`)
  if (options.quiet !== true) {
    for (const what of found.unseen) terminal.say(`holdfast: not seen: ${printableSentence(what)}`)
    if (!prints)
      terminal.say(
        `holdfast: read it, and delete what you do not want checked; run: holdfast doctor${configOf(options)}`,
      )
  }
  return exitCodes.sound
}

const configOf = ({ config }: InitOptions): string => (config === undefined ? '' : ` --config ${shellWord(config)}`)

/** holdfast's own ledger is no database of a program. */
function withoutOwn(found: OpenDatabases): OpenDatabases {
  const isOther = ({ path }: { readonly path: string }): boolean => !path.startsWith(`${defaultLedgerDir}/`)
  return { ...found, databases: found.databases.filter(isOther), unusable: found.unusable.filter(isOther) }
}

function summaryOf({ databases, unusable }: OpenDatabases): string {
  const { lasting, temporary } = splitByLifetime(databases)
  const others = unusable.length + temporary.length
  const left = others === 0 ? '' : `; ${count(others, 'other is', 'others are')} named in a comment`
  return lasting.length === 0
    ? `no program has a SQLite database open here for good, so the file has an example${left}`
    : `found ${count(lasting.length, 'database')} that programs have open${left}`
}

/** @throws {Failure} USAGE */
function requireAbsent(file: string): void {
  if (existsSync(file)) throw isThere(file)
}

const isThere = (file: string): Failure =>
  new Failure('USAGE', `${file} is there already, and is not overwritten`, {
    hint: 'move it away, name another file with --config FILE, or see the new text with --print',
  })

/**
 * No file stays that a run would refuse, because another user could change it there.
 * @throws {Failure} as `write`; CONFIG_INVALID
 */
async function writeAccepted(file: string, text: string): Promise<void> {
  write(file, text)
  try {
    await loadSettings(file)
  } catch (error) {
    unlinkSync(file)
    throw error
  }
}

/** @throws {Failure} USAGE if the file came into being meanwhile; NO_PERMISSION and the like */
function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw isThere(file)
    throw systemFailure(error, {
      doing: 'write the configuration',
      path: file,
      elsewhere: 'name another file with --config FILE',
    })
  }
}
