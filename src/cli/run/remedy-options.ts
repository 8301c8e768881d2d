/** Options of `repair` and `restore`, and what they mean together. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { RunId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { changeMethods, type ChangeMethod } from '../../model/result/remedy.ts'
import type { RestoreOptions } from '../../runs/remedies/plan/commands.ts'
import type { RemedyRequest } from '../../runs/remedies/remedy-request.ts'
import { durationOption, waitOption, withReport, type ReportOptions } from '../options.ts'
import type { WaitOptions } from './wait-option.ts'

export interface RemedyOptions extends ReportOptions, WaitOptions {
  readonly tenant?: readonly string[]
  readonly apply?: boolean
  readonly method?: ChangeMethod
  /** True without a change: the newest one. */
  readonly undo?: string | true
  readonly quarantine?: string
  readonly backups?: string
  readonly snapshots?: string
  readonly timeout?: number
}

/** The options that both commands have. */
export const withRemedy = (command: Command): Command =>
  withReport(command, 'holdfast.remedy/1')
    .option('--apply', 'change the live file; without it nothing is changed')
    .addOption(
      new Option('--method <method>', 'swap: a new file takes the name; in-place: the old file is overwritten')
        .choices(changeMethods)
        .conflicts('undo'),
    )
    .option('--undo [change]', 'put the original of a change back (default: of the newest one); needs no --apply')
    .option('--quarantine <dir>', 'keep the original of a file, and its account, there (default: beside the file)')
    .option('--timeout <duration>', 'longest time that one check, or one rehearsal, may take', durationOption)
    .option('--snapshots <dir>', 'private folder for the copies of files (default: one under TMPDIR)')
    .addOption(waitOption())

/** An id of a change, as a report prints it. */
const isChange = (text: string): boolean => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(text)

/** `2026-11-28`, `2026-11-28T03:00Z`, … as ISO 8601. A time without a zone is UTC. */
export function timeOption(text: string): string {
  const form = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text)
  const ms = form === null ? NaN : Date.parse(`${form[1]}T${form[2] ?? '00:00'}${form[3] ?? ':00'}${form[4] ?? 'Z'}`)
  if (Number.isNaN(ms) || !isDay(form?.[1] ?? ''))
    throw new InvalidArgumentError('It must be a time such as 2026-11-28 or 2026-11-28T03:00Z.')
  return new Date(ms).toISOString()
}

/** False for a day that its month has not: `Date` takes the 30th of February for the 2nd of March. */
const isDay = (day: string): boolean => new Date(Date.parse(day)).toISOString().startsWith(day)

/** @throws {Failure} USAGE for options that contradict each other, or that have no meaning for what is named */
export function requestOf(
  files: readonly string[],
  options: RemedyOptions,
  restore: RestoreOptions | null,
  about: { readonly id: RunId; readonly version: string },
): RemedyRequest {
  const { tenant, undo, apply = false } = options
  if (tenant === undefined && files.length === 0)
    throw new Failure('USAGE', 'name the file, or the tenant with --tenant', {
      hint:
        typeof undo === 'string' && !isChange(undo)
          ? 'the word after --undo is read as the id of a change: put the file before --undo'
          : `\`holdfast ${restore === null ? 'repair' : 'restore'} --help\` shows examples`,
    })
  if (tenant !== undefined && files.length > 0) throw new Failure('USAGE', '--tenant cannot be used with files')
  if (tenant !== undefined && (options.quarantine ?? options.snapshots ?? options.backups) !== undefined)
    throw new Failure('USAGE', '--quarantine, --snapshots and --backups are for files', {
      hint: 'tenants have the folders of the configuration: quarantine.dir, snapshots.dir, backups.dir',
    })
  if (tenant === undefined && options.wait !== undefined)
    throw new Failure('USAGE', '--wait needs --tenant: files have no ledger, and no run waits for another')
  if (undo !== undefined && apply) throw new Failure('USAGE', '--undo needs no --apply: leave it out')
  if (undo !== undefined && restore !== null && (restore.from ?? restore.before ?? restore.merge) !== null)
    throw new Failure('USAGE', '--undo cannot be used with --from, --before or --merge-newer')
  if (typeof undo === 'string' && !isChange(undo))
    throw new Failure('USAGE', `${JSON.stringify(undo)} is no id of a change: an id has 26 letters and digits`, {
      hint: 'leave it out to undo the newest change; `holdfast history` names the changes of tenants',
    })
  return {
    ...about,
    action: undo === undefined ? { kind: 'mend' } : { kind: 'undo', change: undo === true ? null : undo },
    restore,
    apply,
    method: options.method ?? null,
    quarantine: options.quarantine ?? null,
    backups: options.backups ?? null,
  }
}
