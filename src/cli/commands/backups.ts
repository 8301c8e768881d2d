import { Argument } from 'commander'
import type { ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import type { BackupsAction } from '../../report/backups/backups-text.ts'
import { addBackupsOf } from '../backups/add-backups.ts'
import { chosenEntries, openStore, type StoreOptions } from '../backups/open-store.ts'
import { verifyChosen } from '../backups/verify-backups.ts'
import type { Invocation } from '../invocation.ts'
import { durationOption, waitOption, withCommon, type CommonOptions } from '../options.ts'
import { BackupsDocument, type BackupsEnd } from '../report-run/backups-document.ts'
import { printReport, reportPrinting } from '../report-run/print-report.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface BackupsOptions extends CommonOptions, StoreOptions {
  readonly config?: string
  readonly maxAge?: number
  readonly budget?: number
  readonly dryRun?: boolean
  readonly snapshots?: string
  readonly wait?: number
}

const actions = ['list', 'add', 'verify', 'prune'] as const satisfies readonly BackupsAction[]

/** Which options go with which action. Those of every command go with all. */
const optionsOf: Readonly<Record<BackupsAction, readonly (keyof BackupsOptions)[]>> = {
  list: [],
  add: ['snapshots', 'wait'],
  verify: ['maxAge', 'budget', 'snapshots'],
  prune: ['dryRun'],
}

const printing = reportPrinting((terminal) => new BackupsDocument(terminal, {}, { action: 'list', dryRun: false }))

const help = `
A backup is the database itself, compressed by zstd, with a manifest that holds
its digests and how it was proven. holdfast calls it verified only after its
stored bytes were decompressed and came out as those of a sound file. Only
verified backups are restored. \`check --tenant\` and \`sweep\` keep each sound
snapshot where backups.dir is configured. A tenant whose content is the same as
in its newest backup gets no second copy: SAME UNTIL shows when this was seen.

list      shows all backups, one backup, or those of a tenant. A broken one has
          its reason.
add       holds and checks tenants or files as \`check\` does, and keeps those
          that are sound. An argument with a slash, or the name of an existing
          file, means a file. Old backups are deleted as by prune.
verify    restores each backup to a scratch folder and checks it as a whole. The
          one that was verified longest ago comes first. Arguments are ids of
          backups, or tenants.
prune     deletes the backups that backups.keep does not keep (default: the last
          3, one for each of 7 days and of 5 weeks), and half-written ones. The
          newest verified backup of a file always stays, and so does every
          broken one.

Examples:
  holdfast backups list acme
  holdfast backups add acme bolt
  holdfast backups add ./app.db --backups /var/backups/holdfast
  holdfast backups verify --max-age 30d --budget 1h     nightly, from cron
  holdfast backups prune --dry-run
  holdfast compare acme backup:ID                       what changed since

Exit codes: 0 done, 1 failed, 2 a backup is broken, or what was to be added is
  damaged; 3 not conclusive, 4 a tenant may be paused, 64 usage, 70 bug,
  75 busy (try later), 78 configuration, 129/130/131/143 ended by a signal`

export function addBackups(invocation: Invocation): void {
  withCommon(
    invocation.add('backups', printing).description('verified backups: list, add, verify and prune them'),
    'holdfast.backups/1',
  )
    .addArgument(new Argument('<action>', 'what to do').choices(actions))
    .argument('[name...]', 'add: tenants or files; list, verify: tenants or ids')
    .option('--backups <dir>', 'folder of the backups (default: backups.dir of the configuration)')
    .option('--max-age <duration>', 'verify: leave out backups that were verified within this time', durationOption)
    .option('--budget <duration>', 'verify: begin no verification that would end later than this', durationOption)
    .option('--dry-run', 'prune: only name what would be deleted')
    .option('--snapshots <dir>', 'private folder for snapshots and restored backups (default: as for check)')
    .addOption(waitOption())
    .addHelpText('after', help)
    .action((action: BackupsAction, names: readonly string[], options: BackupsOptions) =>
      invocation.perform(() => backups(action, names, options, invocation.terminal)),
    )
}

async function backups(
  action: BackupsAction,
  names: readonly string[],
  options: BackupsOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  using document = new BackupsDocument(terminal, options, { action, dryRun: options.dryRun ?? false })
  // `--quiet` leaves out a table of what is well, but a list is what was asked for.
  const quiet = (options.quiet ?? false) && action !== 'list'
  return await printReport(document, terminal, { ...options, quiet }, () =>
    perform(action, names, options, terminal, document),
  )
}

async function perform(
  action: BackupsAction,
  names: readonly string[],
  options: BackupsOptions,
  terminal: Terminal,
  document: BackupsDocument,
): Promise<BackupsEnd> {
  requireOptions(action, names, options)
  const store = await openStore(options)
  document.setFolder(store.backups.folder)
  switch (action) {
    case 'list':
      for await (const { backup } of chosenEntries(store.backups, names)) document.add(backup)
      return {}
    case 'add':
      await addBackupsOf(names, { store, options, terminal, document })
      return {}
    case 'verify':
      return verifyChosen(names, store, options, terminal, document)
    case 'prune': {
      const { surplus, leftovers } = await store.backups.prune(store.keep, options.dryRun ?? false)
      for (const backup of surplus) document.add(backup)
      return { leftovers }
    }
  }
}

/** @throws {Failure} USAGE for an option of another action, and for names where none are taken */
function requireOptions(action: BackupsAction, names: readonly string[], options: BackupsOptions): void {
  for (const other of actions)
    for (const option of optionsOf[other])
      if (options[option] !== undefined && !optionsOf[action].includes(option))
        throw new Failure('USAGE', `--${kebab(option)} is an option of \`backups ${other}\`, not of ${action}`)
  if (action === 'add' && names.length === 0) throw new Failure('USAGE', 'name the tenants or the files to keep')
  if (action === 'prune' && names.length > 0)
    throw new Failure('USAGE', '`backups prune` takes no names: the rule is for all backups')
  if (action === 'list' && names.length > 1)
    throw new Failure('USAGE', '`backups list` takes one tenant, or one id of a backup')
}

const kebab = (option: string): string => option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
