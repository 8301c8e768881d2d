/** `repair`: what the diagnosis says can be rebuilt is rebuilt on a copy. It never restores. */

import { Failure } from '../../../model/failure.ts'
import type { DroppedEntry } from '../../../model/result/account.ts'
import type { Remedy } from '../../../model/result/verdict.ts'
import { readDropped, type Rehearsals } from '../../../repair/rehearse/rehearse.ts'
import type { Mending, Rehearsed } from '../../../repair/rehearse/rehearsed.ts'
import type { CheckedFile } from '../checked-group.ts'
import type { RemedyCommands } from './commands.ts'
import { planOf, untried, type TriedRemedy, type WriteAccount } from './tried-remedy.ts'

export interface RepairTools {
  readonly rehearsals: Rehearsals
  /** Called with what goes on now. */
  readonly onStep: (file: CheckedFile, step: string) => void
  /** Whether a verified backup of this file exists. */
  readonly hasBackup: (file: CheckedFile) => Promise<boolean>
  readonly accountOf: (entries: () => AsyncIterable<DroppedEntry>) => WriteAccount
}

export async function tryRepair(
  file: CheckedFile,
  commands: RemedyCommands,
  tools: RepairTools,
  signal: AbortSignal,
): Promise<TriedRemedy> {
  const { result, settled, failure } = file
  const mending = mendingOf(result.remedy)
  if (failure !== null) return untried(planOf('nothing', `nothing is known: ${failure.message}`, null), failure)
  if (result.verdict !== 'damaged' || settled === null)
    return untried(planOf('nothing', result.reason ?? result.remedy.why, result.verdict === 'sound' ? null : commands.check))
  if (mending === null) return untried(await otherRemedy(file, commands, tools))
  const rehearsed = await tools.rehearsals.rehearse(settled, mending, signal, (step) =>
    tools.onStep(file, stepWords[step]),
  )
  const plan = planOf(mending.do, result.remedy.why, commands.repair, { objects: objectsOf(mending) })
  if (rehearsed.kind === 'refused')
    return { ...untried({ ...plan, command: null }, rehearsed.failure), rehearsal: rehearsed.rehearsal }
  const { mended, rehearsal, dropped } = rehearsed
  return {
    plan: { ...plan, why: `${plan.why}${sourcesOf(rehearsed)}${droppedWords(dropped.total)}` },
    rehearsal,
    candidate: { path: mended.path, bytes: mended.bytes },
    failure: null,
    account: dropped.total === 0 ? null : tools.accountOf(() => readDropped(dropped)),
    [Symbol.asyncDispose]: () => mended[Symbol.asyncDispose](),
  }
}

/** @returns null if the file cannot be mended from what it holds itself */
export function mendingOf({ do: todo, indexes, fts = [], rewrite }: Remedy): Mending | null {
  if (todo !== 'rebuild') return null
  if (rewrite === true) return { do: 'rewrite' }
  return { do: 'rebuild', indexes, fts: fts.map(({ name }) => name) }
}

const objectsOf = (mending: Mending): readonly string[] =>
  mending.do === 'rewrite' ? [] : [...mending.indexes, ...mending.fts]

/** Only a backup helps, or a person must decide: then a salvage saves what is readable. */
async function otherRemedy(file: CheckedFile, commands: RemedyCommands, tools: RepairTools): Promise<TriedRemedy['plan']> {
  const { remedy } = file.result
  if (await tools.hasBackup(file))
    return planOf('restore', remedy.why, commands.restore({ from: null, before: null, merge: null }))
  return planOf('ask', remedy.why, commands.salvage)
}

/** A full-text index takes its text from where it is now: the plan names that place. */
function sourcesOf({ texts }: Extract<Rehearsed, { kind: 'sound' }>): string {
  if (texts.length === 0) return ''
  return `; ${texts.map(({ name, source }) => `${name} takes its text from ${source}`).join(', ')}`
}

const droppedWords = (total: number): string =>
  total === 0
    ? ''
    : `; ${total === 1 ? '1 index entry' : `${total} index entries`} without a row will be dropped, and kept in the account`

const stepWords = {
  copy: 'copying',
  mend: 'mending a copy',
  check: 'checking the mended copy',
  'check-by-sqlite': 'having SQLite check the mended copy',
  compare: 'comparing tables',
} as const

/** Not all files of the tenant can be mended, so none is. */
export const notAlone = (other: string): Failure =>
  new Failure('REMEDY_REFUSED', `not applied: ${other} of the same tenant cannot be mended in this way`, {
    hint: 'one change covers all files of a tenant; see what the other file needs first',
  })
