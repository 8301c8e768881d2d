/** What `backups` says to a person: a table of backups, which of them are broken and why, and what to type next. */

import type { Backup } from '../../model/result/backup.ts'
import { count } from '../../text/count.ts'
import { wrapHanging, withoutBreaks } from '../../text/layout.ts'
import { renderTable } from '../../text/table.ts'
import { humanBytes } from '../../text/units.ts'
import { whatPinnedProves } from '../describe-pinned.ts'
import { legibleName, legibleSentence } from '../text/legible.ts'
import type { TextOptions } from '../text/result-words.ts'

export type BackupsAction = 'list' | 'add' | 'verify' | 'prune'

/** A file that `add` was asked for and that is not in the store. */
export interface UnkeptFile {
  readonly tenant: string | null
  readonly path: string
  /** One clause. */
  readonly why: string
}

export interface BackupsView {
  readonly action: BackupsAction
  /** The folder of the store; null if the command failed before it was known. */
  readonly folder: string | null
  /** All that there are, or those that were added, verified or deleted. */
  readonly backups: readonly Backup[]
  readonly notKept: readonly UnkeptFile[]
  /** Ids of half-written backups that were deleted. */
  readonly leftovers: readonly string[]
  /** Backups that `verify` left for a later run. */
  readonly notReached: number
  /** True if `prune` deleted nothing and only names what it would delete. */
  readonly dryRun: boolean
}

export function renderBackups(view: BackupsView, options: TextOptions): string {
  const lines = [
    ...(view.backups.length === 0 ? [] : tableOf(view.backups, options)),
    ...(view.backups.some(({ level }) => level === 'pinned') ? wrapHanging(whatPinnedProves, options.width) : []),
    ...view.backups.filter(({ failure }) => failure !== null).flatMap((backup) => failureLines(backup, options)),
    ...view.notKept.flatMap(({ tenant, path, why }) => {
      const what = tenant === null ? legibleName(path) : `${legibleName(tenant)} (${legibleName(path)})`
      return wrapHanging(`NOT KEPT: ${what}: ${legibleSentence(why, [path])}`, options.width)
    }),
    ...wrapHanging(summaryOf(view), options.width),
  ]
  return `${lines.join('\n')}\n`
}

const columns = [
  { head: 'OF', align: 'left' },
  { head: 'TAKEN (UTC)', align: 'left' },
  { head: 'SAME UNTIL', align: 'left' },
  { head: 'VERIFIED', align: 'left' },
  { head: 'SIZE', align: 'right' },
  { head: 'STORED', align: 'right' },
  { head: 'STATE', align: 'left' },
  { head: 'BACKUP', align: 'left' },
] as const

function tableOf(backups: readonly Backup[], options: TextOptions): readonly string[] {
  const several = filesByTenant(backups)
  const rows = backups.map((backup) => [
    ofWhat(backup, several),
    when(backup.takenAt),
    when(backup.confirmedAt),
    when(backup.verifiedAt),
    backup.bytes === null ? '-' : humanBytes(backup.bytes),
    humanBytes(backup.storedBytes),
    backup.state === 'broken' ? 'BROKEN' : `${backup.state}${backup.level === 'pinned' ? ', pinned' : ''}`,
    backup.id,
  ])
  return renderTable(columns, rows, { ...options, paint: (cell) => cell })
}

/** How many files of each tenant are in the table. */
function filesByTenant(backups: readonly Backup[]): ReadonlyMap<string, ReadonlySet<string>> {
  const files = new Map<string, Set<string>>()
  for (const { tenant, path, bytes } of backups) {
    if (tenant === null || bytes === null) continue
    files.set(tenant, (files.get(tenant) ?? new Set()).add(path))
  }
  return files
}

function ofWhat({ tenant, path, bytes }: Backup, several: ReturnType<typeof filesByTenant>): string {
  if (tenant === null || bytes === null) return legibleName(tenant ?? path)
  return (several.get(tenant)?.size ?? 0) > 1 ? `${legibleName(tenant)} ${legibleName(path)}` : legibleName(tenant)
}

/** `2026-11-28 03:04` */
const when = (at: string | null): string => (at === null ? '-' : at.slice(0, 16).replace('T', ' '))

function failureLines({ id, state, failure }: Backup, { width }: TextOptions): readonly string[] {
  const word = state === 'broken' ? 'BROKEN' : 'NOT VERIFIED'
  return wrapHanging(`${word}: ${withoutBreaks(id)}: ${legibleSentence(failure?.message ?? '')}`, width)
}

function summaryOf(view: BackupsView): string {
  const { action, backups, folder, leftovers, notReached, dryRun } = view
  const stored = humanBytes(backups.reduce((sum, { storedBytes }) => sum + storedBytes, 0))
  const broken = backups.filter(({ state }) => state === 'broken').length
  const nowBroken = broken === 0 ? '' : `; ${broken} BROKEN, which is never restored`
  switch (action) {
    case 'list':
      return backups.length === 0
        ? `No backups${folder === null ? '' : ` in ${legibleName(folder)}`}.`
        : `${count(backups.length, 'backup')}, ${stored} stored${nowBroken}.`
    case 'add':
      return backups.length === 0 ? 'Nothing was kept.' : `${count(backups.length, 'verified backup')}.`
    case 'verify': {
      const unclear = backups.filter(({ state, failure }) => state !== 'broken' && failure !== null).length
      const sound = backups.length - broken - unclear
      const left = notReached === 0 ? '' : ` ${notReached} left for the next run, which begins with them.`
      const open = unclear === 0 ? '' : `; ${unclear} not conclusive`
      return `${sound} restored to scratch, checked and sound${nowBroken}${open}.${left}`
    }
    case 'prune': {
      const also = leftovers.length === 0 ? '' : `, and ${leftovers.length} half written`
      const what = `${count(backups.length, 'old backup')} (${stored})${also}`
      return dryRun ? `Would delete ${what}. Nothing was deleted.` : `Deleted ${what}.`
    }
  }
}
