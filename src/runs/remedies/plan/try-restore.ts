/**
 * `restore`: a backup is restored to a scratch folder, checked by both engines, and compared with the live file table
 * by table. Nothing is restored that was not drilled in this very run.
 */

import { statSync } from 'node:fs'
import type { Checker } from '../../../check/check.ts'
import { doubtsIn } from '../../../comparison/tables.ts'
import { monotonicMs } from '../../../host/clock.ts'
import { Failure } from '../../../model/failure.ts'
import type { Comparison } from '../../../model/result/comparison.ts'
import type { ChosenBackup, TableLoss } from '../../../model/result/remedy.ts'
import type { RehearsedFile } from '../../../repair/rehearse/rehearsal-result.ts'
import type { Rehearsals } from '../../../repair/rehearse/rehearse.ts'
import type { CheckedFile } from '../checked-group.ts'
import { bringBackup, type BackupSource, type BroughtBackup } from './choose-backup.ts'
import type { RemedyCommands, RestoreOptions } from './commands.ts'
import { adoptJournalMode } from './journal-mode.ts'
import { lossesBetween, unknownLosses } from './losses.ts'
import { planOf, untriedRemedy, type RemedyAccount, type TriedRemedy } from './tried-remedy.ts'

/** The backup with what the live file has besides, as one plain file. */
export interface MergedBackup {
  readonly path: BroughtBackup['path']
  readonly losses: readonly TableLoss[]
  readonly account: RemedyAccount
  /** What a person should know besides: clauses. */
  readonly notes: readonly string[]
}

export interface RestoreTools {
  readonly checker: Checker
  readonly rehearsals: Rehearsals
  readonly source: BackupSource
  /** Called with what goes on now. */
  readonly onStep: (file: CheckedFile, step: string) => void
  /** Adds to the backup what is readable in the live file and newer. Null without --merge-newer. */
  readonly merge: ((backup: BroughtBackup, file: CheckedFile, signal: AbortSignal) => Promise<MergedBackup>) | null
}

/** True if nothing but a person's choice of a backup is a reason to restore. */
const needsChoice = ({ result: { verdict } }: CheckedFile): boolean => verdict === 'sound'

/** A file that is gone cannot be held, so a person puts its backup into its place. */
const withCopyOfBackup = (failure: Failure): Failure =>
  failure.code === 'NOT_FOUND'
    ? failure.withHint(
        'check the path; if the file is gone, `holdfast backups list` names its backups, and ' +
          '`holdfast pull BACKUP DIR` copies one, which you can move into its place',
      )
    : failure

/** What mends the file if no backup fits; null if nothing is damaged. */
function withoutBackup({ result: { verdict, remedy } }: CheckedFile, commands: RemedyCommands): string | null {
  if (verdict !== 'damaged') return null
  return remedy.do === 'rebuild' ? remedy.command : commands.salvage
}

export async function tryRestore(
  file: CheckedFile,
  options: RestoreOptions,
  commands: RemedyCommands,
  tools: RestoreTools,
  signal: AbortSignal,
): Promise<TriedRemedy> {
  const { target, failure, held } = file
  if (held.kind !== 'snapshot' || failure !== null) {
    const why = failure ?? heldFailure(file)
    return untriedRemedy(planOf('nothing', 'the file could not be checked', null), withCopyOfBackup(why))
  }
  if (needsChoice(file) && options.from === null && options.before === null)
    return untriedRemedy(planOf('nothing', 'the file is sound', null))
  let backup: BroughtBackup
  try {
    tools.onStep(file, 'restoring a backup to a scratch folder')
    backup = await bringBackup(target, options, tools.source, signal)
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'INTERRUPTED') throw error
    return refused(
      'restore',
      whyRestore(file),
      error.code === 'BACKUP_UNKNOWN' ? withoutBackup(file, commands) : null,
      error,
    )
  }
  try {
    return await drill(backup, file, options, commands, tools, signal)
  } catch (error) {
    await backup[Symbol.asyncDispose]()
    if (!(error instanceof Failure) || error.code === 'INTERRUPTED') throw error
    return refused('restore', whyRestore(file), null, error, backup.chosen)
  }

  function refused(
    todo: 'restore',
    why: string,
    command: string | null,
    reason: Failure,
    chosen: ChosenBackup | null = null,
  ): TriedRemedy {
    const losses = chosen === null ? [] : unknownLosses(file.result.content.tables)
    return untriedRemedy(planOf(todo, why, command, { backup: chosen, losses }), reason)
  }
}

async function drill(
  backup: BroughtBackup,
  file: CheckedFile,
  options: RestoreOptions,
  commands: RemedyCommands,
  tools: RestoreTools,
  signal: AbortSignal,
): Promise<TriedRemedy> {
  const startedAtMs = monotonicMs()
  const merged = tools.merge === null ? null : await mergeInto(tools.merge)
  const path = merged?.path ?? backup.path
  if (file.held.kind === 'snapshot') adoptJournalMode(path, file.held.snapshot.path)
  const context = file.settled?.context ?? plainContext(file)
  tools.onStep(file, 'checking what was restored')
  const rehearsed = await tools.rehearsals.rehearseFile({ path, kept: null, context, content: null }, signal)
  const compared = rehearsed.kind === 'refused' || merged !== null ? null : await comparedWith(rehearsed, path)
  const { tables } = file.result.content
  const known = merged?.losses ?? (compared === null ? null : lossesBetween(compared, tables, isSchemaWhole(file)))
  const losses = known ?? unknownLosses(rehearsed.reading?.content ?? [], tables)
  const plan = planOf('restore', whyPlan(), rehearsed.kind === 'refused' ? null : commands.applyRestore(options), {
    backup: rehearsed.kind === 'sound' ? foundSound(backup.chosen) : backup.chosen,
    losses,
  })
  const rehearsal = {
    ...rehearsed.rehearsal,
    contentSame: losses.length === 0 && file.settled !== null,
    ms: Math.round(monotonicMs() - startedAtMs),
  }
  if (rehearsed.kind === 'refused') {
    merged?.account[Symbol.dispose]()
    await backup[Symbol.asyncDispose]()
    const reason =
      merged === null
        ? new Failure(
            'BACKUP_BROKEN',
            `the backup ${backup.chosen.id} did not come out sound: ${rehearsed.failure.message}`,
          )
        : rehearsed.failure
    return { ...untriedRemedy(plan, reason), rehearsal }
  }
  return {
    plan,
    rehearsal,
    candidate: { path, bytes: statSync(path).size },
    failure: null,
    account: merged?.account ?? null,
    [Symbol.asyncDispose]: async () => {
      using _account = merged?.account
      await backup[Symbol.asyncDispose]()
    },
  }

  async function mergeInto(merge: NonNullable<RestoreTools['merge']>): Promise<MergedBackup> {
    tools.onStep(file, 'merging newer rows into the backup')
    return merge(backup, file, signal)
  }

  /** @returns null if nothing of the live file can be compared */
  async function comparedWith(
    { reading }: Extract<RehearsedFile, { readonly kind: 'sound' }>,
    restored: BroughtBackup['path'],
  ): Promise<Comparison | null> {
    const { settled, result } = file
    if (settled === null) return null
    tools.onStep(file, 'comparing the live file with what was restored')
    const { findings, coverage } = result
    const live = { path: settled.path, kept: settled.kept, content: settled.reading.content }
    return tools.checker.compare(
      {
        a: { ...live, doubtOf: doubtsIn(findings, coverage.skipped) },
        b: { path: restored, content: reading.content, doubtOf: () => null },
      },
      signal,
    )
  }

  function whyPlan(): string {
    const unknown = known === null ? '; the live file cannot be compared with it, so its losses are not known' : ''
    const schema = compared === null ? '' : schemaWords(compared)
    const newer = merged === null ? '' : '; what is readable and newer is added to it'
    const notes = (merged?.notes ?? []).map((note) => `; ${note}`).join('')
    return `${whyRestore(file)}; the backup is ${backup.why}${newer}${unknown}${schema}${notes}`
  }
}

/** A file that a person names counts as verified once it was checked in this run. */
const foundSound = (chosen: ChosenBackup): ChosenBackup =>
  chosen.verifiedAt === null ? { ...chosen, verifiedAt: new Date().toISOString() } : chosen

const differencesMax = 3

/** A backup from before a migration brings the older schema back. A is the live file, B the backup. */
function schemaWords({ tables, schemaDifferences }: Comparison): string {
  const words = { differs: 'is another one', 'only-in-a': 'will be gone', 'only-in-b': 'comes back' } as const
  const differences = [
    ...tables.flatMap(({ name, partOf, comparison }) =>
      partOf === null && (comparison === 'only-in-a' || comparison === 'only-in-b')
        ? [`table ${name} ${words[comparison]}`]
        : [],
    ),
    ...schemaDifferences.map(({ kind, name, comparison }) => `${kind} ${name} ${words[comparison]}`),
  ]
  if (differences.length === 0) return ''
  const shown = differences.slice(0, differencesMax)
  const more = differences.length - shown.length
  return `; THE SCHEMA DIFFERS: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** False if a part of the schema cannot be read: it may name tables that nothing else shows. */
const isSchemaWhole = ({ result: { findings } }: CheckedFile): boolean =>
  !findings.some(({ severity, object }) => severity === 'damage' && object.kind === 'schema')

const whyRestore = ({ result }: CheckedFile): string =>
  result.verdict === 'damaged'
    ? result.remedy.do === 'rebuild'
      ? 'a rebuild could mend the file without any loss: `holdfast repair`'
      : '`holdfast repair` cannot mend this damage'
    : result.verdict === 'sound'
      ? 'you asked for an earlier state of a sound file'
      : (result.reason ?? 'the file could not be read')

function heldFailure({ held }: CheckedFile): Failure {
  return held.kind === 'snapshot' ? new Failure('READ_FAILED', 'nothing of the file was read') : held.failure
}

/** Of a file that could not be read at all. */
const plainContext = ({ target, result }: CheckedFile) => ({
  tenant: target.tenant,
  path: target.named,
  serviceSqlite: result.evidence.quiesce?.sqliteVersion ?? null,
  fileSystem: result.evidence.fileSystem,
  links: 1,
  verifiedBackup: true,
  accept: [],
})
