/** A damaged ledger is kept under another name, with all files that belong to it. */

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The main file is renamed last: if we die in between, no new ledger finds the journal of the old one beside it. */
const parts = ['-wal', '-shm', '-journal', ''] as const

/** Gives the ledger another name. @returns the new name, without its folder */
export function setAside(file: string, now: Date): string {
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const base = `${basename(file, '.db')}.damaged-${stamp}`
  const name = [base, ...Array.from({ length: 1000 }, (_, index) => `${base}-${index + 2}`)].find((candidate) =>
    parts.every((part) => !existsSync(join(dirname(file), candidate + part))),
  )
  if (name === undefined) throw new Error('a thousand ledgers were set aside in one second')
  for (const part of parts) if (existsSync(file + part)) renameSync(file + part, join(dirname(file), name + part))
  syncFolderOf(file)
  return name
}

/**
 * Called if no new ledger could be begun: the old one may still be readable in part. Deletes what was made in its
 * place.
 */
export function putLedgerBack(file: string, name: string): void {
  const aside = join(dirname(file), name)
  for (const part of parts) rmSync(file + part, { force: true })
  for (const part of parts) if (existsSync(aside + part)) renameSync(aside + part, file + part)
  syncFolderOf(file)
}

function syncFolderOf(file: string): void {
  const folder = openSync(dirname(file), 'r')
  fsyncSync(folder)
  closeSync(folder)
}

export const hasJournal = (file: string): boolean => parts.some((part) => part !== '' && existsSync(file + part))

/** True for a journal without its ledger: SQLite would take it for the journal of a new one. */
export const hasOrphanedParts = (file: string): boolean => !existsSync(file) && hasJournal(file)
