/** The ids of tenants that are files: printable, unique, and the same as long as the patterns are the same. */

import { relative } from 'node:path'
import { tenantId, type TenantId } from '../../model/brand.ts'
import { bytesOfLetter, invisible } from '../../text/shell-words.ts'

/** The deepest folder that has all of them below it, or is one of them. */
export function commonFolder(folders: readonly string[]): string {
  const [first = '', ...more] = folders
  const shared = first.split('/')
  for (const folder of more) {
    const parts = folder.split('/')
    const differs = shared.findIndex((part, at) => part !== parts[at])
    if (differs !== -1) shared.length = differs
  }
  return shared.join('/') || '/'
}

/**
 * The path below the folder. A letter that cannot be shown, and %, is written as its bytes: `%0A`. So no two paths have
 * the same id.
 */
export const fileTenantId = (base: string, path: string): TenantId => tenantId(escapeHidden(relative(base, path)))

const hidden = new RegExp(`%|${invisible.source}`, 'gu')

const escapeHidden = (text: string): string =>
  text.replaceAll(hidden, (letter) =>
    Array.from(bytesOfLetter(letter), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
