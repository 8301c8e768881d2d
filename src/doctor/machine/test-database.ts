/** A small healthy database, made without SQLite, for a hold and a check that touch no tenant. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const pageSize = 4096

/** One page with an empty schema (SQLite's file format, section 1.3). @returns its path */
export async function makeTestDatabase(folder: string): Promise<string> {
  const page = Buffer.alloc(pageSize)
  page.write('SQLite format 3\0', 0, 'latin1')
  page.writeUInt16BE(pageSize, 16)
  page.set([1, 1, 0, 64, 32, 32], 18)
  page.writeUInt32BE(1, 24) // change counter
  page.writeUInt32BE(1, 28) // pages
  page.writeUInt32BE(4, 44) // schema format
  page.writeUInt32BE(1, 56) // UTF-8
  page.writeUInt32BE(1, 92) // version valid for
  page.set([13, 0, 0, 0, 0, pageSize >> 8, pageSize & 255, 0], 100) // an empty leaf
  const path = join(folder, 'test.db')
  await writeFile(path, page, { mode: 0o600 })
  return path
}
