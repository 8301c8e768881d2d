import { Option } from 'commander'
import { newRunId } from '../../ledger/run-lock/run-id.ts'
import type { ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { conflictRules, type ConflictRule } from '../../model/result/account.ts'
import type { Invocation } from '../invocation.ts'
import { printReport, reportPrinting } from '../report-run/print-report.ts'
import { RemedyDocument } from '../report-run/remedy-document.ts'
import { requestOf, timeOption, withRemedy, type RemedyOptions } from '../run/remedy-options.ts'
import { runRemedies } from '../run/run-remedies.ts'
import type { Terminal } from '../terminal/terminal.ts'

interface RestoreCommandOptions extends Omit<RemedyOptions, 'tenant'> {
  readonly tenant?: string
  readonly from?: string
  readonly before?: string
  readonly mergeNewer?: boolean
  readonly prefer?: ConflictRule
}

const printing = reportPrinting(
  (terminal) => new RemedyDocument(terminal, {}, { id: newRunId(), mode: 'restore', registry: 'none' }),
)

const help = `
Without --apply nothing is changed: the backup is restored to a scratch folder,
checked by both engines, and compared with the live file. The plan says for each
table how many rows would be lost, changed, or come back, and names the first.

--merge-newer keeps what is newer than the backup and readable in the live file.
If both have a row with different values, the newer one stays where its page is
intact. With --prefer backup, that of the backup stays. The account lists every
key.

Examples:
  holdfast restore --tenant acme                 the newest verified backup from
                                                 before the damage
  holdfast restore --tenant acme --apply
  holdfast restore --tenant acme --merge-newer --apply
  holdfast restore --tenant acme --before 2026-11-27T20:00Z
  holdfast restore app.db --backups /var/backups/holdfast
  holdfast restore app.db --from yesterday.db --apply
  holdfast restore app.db --undo                 put the original back

Exit codes: 0 the plan came out sound on a copy, or the change was made and is
  sound, 1 failed, 2 damage remains, 3 inconclusive, or the file was written
  since the plan, 4 a tenant may be paused, 64 usage, 70 bug, 75 in use (try
  later), 78 configuration, 129/130/131/143 ended by a signal`

export function addRestore(invocation: Invocation): void {
  withRemedy(
    invocation
      .add('restore', printing)
      .description('put a verified backup in the place of a damaged file, and keep what is newer if you want')
      .argument('[file]', 'a database file that no program has open')
      .option('--tenant <id>', 'this tenant of the configured service')
      .option('--from <backup|file>', 'the id of a backup, or a database file (default: the newest verified backup)')
      .option('--before <time>', 'the newest backup that was taken before this time', timeOption)
      .option('--merge-newer', 'add what is readable and newer in the live file')
      .addOption(
        new Option('--prefer <side>', 'which version of a row stays in a conflict (default: newer)').choices(
          conflictRules,
        ),
      )
      .option('--backups <dir>', 'the folder of backups of a file (for tenants: backups.dir)'),
  )
    .addHelpText('after', help)
    .action((file: string | undefined, options: RestoreCommandOptions) =>
      invocation.perform(() => restore(file, options, invocation.terminal)),
    )
}

async function restore(
  file: string | undefined,
  { tenant, ...others }: RestoreCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const id = newRunId()
  const options = { ...others, ...(tenant === undefined ? {} : { tenant: [tenant] }) }
  using document = new RemedyDocument(terminal, options, {
    id,
    mode: 'restore',
    registry: tenant === undefined ? 'none' : 'live',
  })
  return await printReport(document, terminal, options, async () => {
    const { from = null, before = null, mergeNewer = false, prefer } = others
    if (prefer !== undefined && !mergeNewer) throw new Failure('USAGE', '--prefer needs --merge-newer')
    if (from !== null && before !== null)
      throw new Failure('USAGE', '--from names the backup, so --before has no meaning beside it')
    const files = file === undefined ? [] : [file]
    const chosen = { from, before, merge: mergeNewer ? (prefer ?? 'newer') : null }
    const request = requestOf(files, options, chosen, { id, version: terminal.version })
    return runRemedies(files, options, request, { terminal, document })
  })
}
