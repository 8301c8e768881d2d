/** `repair`: what the diagnosis says can be rebuilt is rebuilt on a copy. It never restores. */

import { diagnose } from '../../../diagnosis/diagnose.ts'
import { afterRehearsal } from '../../../diagnosis/remedy.ts'
import { tenantId } from '../../../model/brand.ts'
import { Failure } from '../../../model/failure.ts'
import type { RemedyPlan } from '../../../model/result/remedy.ts'
import { mendingOf, type MendOrder } from '../../../repair/mend/mend-order.ts'
import type { RehearsalResult } from '../../../repair/rehearse/rehearsal-result.ts'
import type { Rehearsals } from '../../../repair/rehearse/rehearse.ts'
import { count } from '../../../text/count.ts'
import type { CheckedFile } from '../checked-group.ts'
import { accountOfDropped } from './account.ts'
import { hasVerifiedBackup, type BackupSource } from './choose-backup.ts'
import type { RemedyCommands } from './commands.ts'
import { planOf, untriedRemedy, type TriedRemedy } from './tried-remedy.ts'

export interface RepairTools {
  readonly rehearsals: Rehearsals
  /** Called with what goes on now. */
  readonly onStep: (file: CheckedFile, step: string) => void
  readonly source: Omit<BackupSource, 'folder'>
  /** Private folder of this run. */
  readonly folder: string
}

export async function tryRepair(
  file: CheckedFile,
  commands: RemedyCommands,
  tools: RepairTools,
  signal: AbortSignal,
): Promise<TriedRemedy> {
  const { result, settled, failure } = file
  if (failure !== null) return untriedRemedy(planOf('nothing', 'the file could not be checked', null), failure)
  if (result.verdict !== 'damaged' || settled === null) {
    const next = result.verdict === 'sound' ? null : result.remedy.command
    return untriedRemedy(planOf('nothing', result.reason ?? result.remedy.why, next))
  }
  const mending = mendingOf(result.remedy)
  if (mending === null) return untriedRemedy(await planInstead(null, file, commands, tools), whyRefused(file))
  const rehearsed = await tools.rehearsals.rehearse(settled, mending, signal, (step) =>
    tools.onStep(file, stepWords[step]),
  )
  if (rehearsed.kind === 'refused') {
    const plan = await planInstead(rehearsed.failure.message, file, commands, tools)
    return { ...untriedRemedy(plan, rehearsed.failure), rehearsal: rehearsed.rehearsal }
  }
  const { mended, rehearsal, dropped } = rehearsed
  const why = `${result.remedy.why}${sourcesOf(rehearsed)}${droppedWords(dropped.total)}`
  const account = dropped.total === 0 ? null : await accountOfDropped(dropped, tools.folder)
  return {
    plan: planOf(mending.do, why, commands.repair, { objects: objectsOf(mending) }),
    rehearsal,
    candidate: { path: mended.path, bytes: mended.bytes },
    failure: null,
    account,
    [Symbol.asyncDispose]: async () => {
      using _account = account
      await mended[Symbol.asyncDispose]()
    },
  }
}

const objectsOf = (mending: MendOrder): readonly string[] =>
  mending.do === 'rewrite' ? [] : [...mending.indexes, ...mending.fts]

/**
 * Only a backup helps, or a person must decide: the plan names the command that goes on.
 * @param refused why a rehearsal failed; null if there was none
 */
async function planInstead(
  refused: string | null,
  { result: { remedy }, target, settled }: CheckedFile,
  commands: RemedyCommands,
  { source }: RepairTools,
): Promise<RemedyPlan> {
  const verifiedBackup = await hasVerifiedBackup(target, source)
  if (settled === null) return planOf('ask', remedy.why, remedy.command)
  // The diagnosis knows backups of tenants only. The command for a bare file is ours.
  const tenant = verifiedBackup ? (target.tenant ?? tenantId(target.named)) : target.tenant
  const context = { ...settled.context, tenant, verifiedBackup }
  const weighed =
    refused === null ? diagnose(settled.reading, context).remedy : afterRehearsal(remedy, refused, context)
  return weighed.do === 'restore'
    ? planOf('restore', weighed.why, commands.restore({ from: null, before: null, merge: null }))
    : planOf('ask', weighed.why, weighed.command)
}

/** An index over rows that violate it is what a person might rebuild all the same: this is refused by name. */
function whyRefused({ result: { findings, remedy } }: CheckedFile): Failure | null {
  const violated = findings.find(({ rule }) => rule === 'unique-violated')
  if (violated === undefined) return null
  return new Failure('REMEDY_REFUSED', `${violated.object.name} cannot be rebuilt: ${violated.text}`, {
    hint: remedy.command === null ? 'a person must decide which rows stay' : `\`${remedy.command}\` goes on`,
  })
}

/** A full-text index takes its text from where it is now: the plan names that place. */
function sourcesOf({ texts }: Extract<RehearsalResult, { kind: 'sound' }>): string {
  if (texts.length === 0) return ''
  return `; ${texts.map(({ name, source }) => `${name} takes its text from ${source}`).join(', ')}`
}

const droppedWords = (total: number): string =>
  total === 0
    ? ''
    : `; ${count(total, 'index entry', 'index entries')} that no row matches will be dropped, and kept in the account`

const stepWords = {
  copy: 'copying',
  mend: 'mending a copy',
  check: 'checking the mended copy',
  'check-by-sqlite': 'having SQLite check the mended copy',
  compare: 'comparing tables',
} as const
