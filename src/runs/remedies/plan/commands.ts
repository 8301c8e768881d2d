/** The commands that a plan prints. Each can be typed as it stands. Pure. */

import type { ConflictRule } from '../../../model/result/account.ts'
import type { ChangeMethod } from '../../../model/result/remedy.ts'
import { shellWord, targetWords } from '../../../text/shell-words.ts'
import type { Target } from '../../begin/target.ts'

/** Options of the command line that the next command must repeat. */
export interface RepeatedOptions {
  readonly method: ChangeMethod | null
  /** Folders for a bare file; null if they were not given. */
  readonly quarantine: string | null
  readonly backups: string | null
}

export interface RestoreOptions {
  /** Id of a backup, or the name of a database file; null: the newest verified backup from before the damage. */
  readonly from: string | null
  /** ISO 8601; null if it was not given. */
  readonly before: string | null
  /** Null: the backup alone. */
  readonly merge: ConflictRule | null
}

export const commandsFor = (target: Target, repeated: RepeatedOptions): RemedyCommands => {
  const on = targetWords(target.tenant, target.named)
  const folder = (name: string, path: string | null): string => (path === null ? '' : ` --${name} ${shellWord(path)}`)
  const places = `${folder('quarantine', repeated.quarantine)}${folder('backups', repeated.backups)}`
  const method = repeated.method === null ? '' : ` --method ${repeated.method}`
  const restored = ({ from, before, merge }: RestoreOptions): string =>
    `holdfast restore ${on}${folder('from', from)}${before === null ? '' : ` --before ${shellWord(before)}`}` +
    `${merge === null ? '' : ` --merge-newer${merge === 'newer' ? '' : ` --prefer ${merge}`}`}${method}${places}`
  return {
    repair: `holdfast repair ${on}${method}${folder('quarantine', repeated.quarantine)} --apply`,
    restore: (options) => restored(options),
    applyRestore: (options) => `${restored(options)} --apply`,
    salvage: `holdfast salvage ${salvageSource(target)} --to ${shellWord(salvagedName(target))}`,
    check: `holdfast check ${on}`,
    undo: (mode, change) =>
      `holdfast ${mode} ${on}${folder('quarantine', repeated.quarantine)} --undo${change === null ? '' : ` ${change}`}`,
  }
}

export interface RemedyCommands {
  readonly repair: string
  readonly restore: (options: RestoreOptions) => string
  readonly applyRestore: (options: RestoreOptions) => string
  readonly salvage: string
  readonly check: string
  /** @param change null: the newest change of the file */
  readonly undo: (mode: 'repair' | 'restore', change: string | null) => string
}

/** `salvage` reads a file that no program has open: for a tenant, a pulled copy. */
const salvageSource = ({ tenant, named }: Target): string =>
  tenant === null ? shellWord(named.startsWith('-') ? `./${named}` : named) : `./pulled/${shellWord(lastName(named))}`

const salvagedName = ({ tenant, named }: Target): string =>
  `${tenant === null ? named : `./${lastName(named)}`}.salvaged`

const lastName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
