/**
 * Where the ledger of a configuration is, in a file beside it: `holdfast.yaml.ledger`. A configuration that is gone or
 * cannot be read does not say where its last valid copy is. Not needed for the usual folder.
 */

import { rmSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { isSystemError } from '../host/failures/system-failure.ts'
import { onDisk } from '../host/files/file-name.ts'
import { readCheckedText, writeCheckedText } from '../host/private-files/checked-file.ts'
import { Failure } from '../model/failure.ts'
import { defaultLedgerDir } from './defaults.ts'
import type { Settings } from './settings.ts'

const title = 'holdfast.ledger-pointer/1'
const pointerBytesMax = 64 << 10

interface LedgerPointer {
  readonly path: string
  readonly dir: string
}

export const ledgerPointerFile = (path: string): string => `${path}.ledger`

/**
 * A folder that holdfast may not write, such as /etc in a sandbox, gets no pointer: that is no failure.
 * @returns why a pointer to another ledger stays there; null if none does
 */
export async function keepLedgerPointer({ file, ledger }: Pick<Settings, 'file' | 'ledger'>): Promise<string | null> {
  const pointer = ledgerPointerFile(file)
  const text = JSON.stringify({ path: file, dir: ledger.dir } satisfies LedgerPointer)
  const found = await readCheckedText(pointer, title, pointerBytesMax)
  if (found.kind === 'read' && found.text === text) return null
  if (found.kind === 'missing' && ledger.dir === defaultLedgerDir) return null
  try {
    if (ledger.dir === defaultLedgerDir) rmSync(onDisk(pointer), { force: true })
    else writeCheckedText(pointer, title, text)
    return null
  } catch (error) {
    if (!(error instanceof Failure) && !isSystemError(error)) throw error
    return found.kind === 'missing' ? null : `${pointer} is not of this ledger and cannot be replaced: ${error.message}`
  }
}

/** @returns null without a pointer, and for one that another user could have written */
export async function readLedgerPointer(path: string): Promise<string | null> {
  const found = await readCheckedText(ledgerPointerFile(path), title, pointerBytesMax)
  if (found.kind !== 'read') return null
  const pointer = JSON.parse(found.text) as LedgerPointer
  return pointer.path === path && isAbsolute(pointer.dir) ? pointer.dir : null
}
