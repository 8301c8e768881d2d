/** The prescan by the compiled core gives what JavaScript reads from the same pages. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { PrescannedPages } from '../../../src/census/fast/prescan.ts'
import { loadCore } from '../../../src/check/reader/pages/compiled-core.ts'
import { invariant } from '../../../src/model/bug.ts'
import { readReferences } from '../../../src/sqlite/accounting/references.ts'
import { read32 } from '../../../src/sqlite/bytes.ts'
import { readHeader } from '../../../src/sqlite/header.ts'
import type { DatabaseHeader } from '../../../src/sqlite/header.ts'
import { prescanOf } from '../../support/census/account-both-ways.ts'
import { pageSizes, removeDatabase } from '../../support/databases/create-database.ts'
import { recipes } from '../../support/databases/recipes.ts'
import { damageBytes } from '../../support/differential/referee.ts'
import { integersFrom } from '../../support/random.ts'

const folder = mkdtempSync(join(tmpdir(), 'prescan-'))
const core = loadCore()
invariant(core !== null, 'the compiled core can be loaded here')
afterAll(() => rmSync(folder, { recursive: true }))

test.each(pageSizes)(
  'page by page, the prescan gives what JavaScript reads, also for damaged pages: page size %i',
  (pageSize) => {
    for (const [i, recipe] of recipes.entries()) {
      const path = join(folder, `${pageSize}-${i}.db`)
      recipe.build(path, pageSize)
      const bytes = readFileSync(path)
      removeDatabase(path)
      const reading = readHeader(bytes.subarray(0, 100))
      if (reading.kind !== 'header') throw new Error(`${recipe.name}: ${JSON.stringify(reading)}`)
      const missed = compare(reading.header, bytes, recipe.name)
      // Page 1 is laid out differently: it begins with the header of the file. Lengths of more than two bytes occur on
      // the largest pages only, and are left to JavaScript.
      if (pageSize <= 16_384)
        expect(
          missed.filter((page) => page > 1),
          `${recipe.name}: leaves of a healthy file that must still be read`,
        ).toEqual([])
      const random = integersFrom(pageSize + i)
      for (let round = 0; round < 6; round++) {
        const damaged = Buffer.from(bytes)
        damageBytes(damaged, random)
        compare(reading.header, damaged, `${recipe.name}, round ${round}`)
      }
    }
  },
)

test('nothing is known of a page that cannot be read, whatever the memory held in its place', () => {
  const path = join(folder, 'unread.db')
  recipes[0]?.build(path, 4096)
  const bytes = readFileSync(path)
  const prescan = new PrescannedPages(core, 3, 4096, 4096)
  for (let i = 0; i < 3; i++) prescan.piece.set(bytes.subarray(4096, 8192), i * 4096)
  prescan.take(1, 3, [2])
  const known = [1, 2, 3].map((page) => prescan.leafOf(page) !== null || prescan.firstWordOf(page) !== null)
  expect(known).toEqual([true, false, true])
})

/** @returns leaves with nothing to follow and nothing wrong that the prescan missed */
function compare(header: DatabaseHeader, bytes: Uint8Array, what: string): readonly number[] {
  const { pageSize } = header
  const pages = Math.floor(bytes.length / pageSize)
  const pageAt = (page: number): Uint8Array => bytes.subarray((page - 1) * pageSize, page * pageSize)
  const prescan = prescanOf(header, {
    fileBytes: bytes.length,
    read: (page, into) => (into.set(pageAt(page)), pageSize),
  })
  const layout = { pageSize, usable: pageSize - header.reservedBytes, autoVacuum: false }
  const missed: number[] = []
  for (let page = 1; page <= pages; page++) {
    const read = readReferences(pageAt(page), page, layout)
    const leaf =
      read.kind === 'references' && read.leaf && read.chains.length === 0 && read.wrongCells === 0 ? read.tree : null
    const seen = prescan.leafOf(page)
    if (seen !== null) expect(seen, `${what}, page ${page}`).toBe(leaf)
    else if (leaf !== null) missed.push(page)
    const word = prescan.firstWordOf(page)
    if (word !== null) expect(word, `${what}, page ${page}`).toBe(read32(pageAt(page), 0))
  }
  return missed
}
