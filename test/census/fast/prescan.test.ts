/** What the compiled core sees of pages at a glance is what JavaScript reads of them. */

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
import { pageSizes, recipes, removeDatabase } from '../../support/databases/recipes.ts'
import { damageBytes, randomFrom } from '../../support/differential/referee.ts'

const folder = mkdtempSync(join(tmpdir(), 'glanced-pages-'))
const core = loadCore()
invariant(core !== null, 'the compiled core can be loaded here')
afterAll(() => rmSync(folder, { recursive: true }))

test.each(pageSizes)(
  'page by page, what is seen at a glance is what JavaScript reads, also of damaged pages: page size %i',
  (pageSize) => {
    for (const [i, recipe] of recipes.entries()) {
      const path = join(folder, `${pageSize}-${i}.db`)
      recipe.build(path, pageSize)
      const bytes = readFileSync(path)
      removeDatabase(path)
      const reading = readHeader(bytes.subarray(0, 100))
      if (reading.kind !== 'header') throw new Error(`${recipe.name}: ${JSON.stringify(reading)}`)
      const missed = compare(reading.header, bytes, recipe.name)
      // Behind the header of the file, page 1 is not laid out as the others. Lengths of more than two bytes, as only
      // the largest pages have them, are left to JavaScript.
      if (pageSize <= 16_384)
        expect(
          missed.filter((page) => page > 1),
          `${recipe.name}: leaves of a healthy file that must be read all the same`,
        ).toEqual([])
      const random = randomFrom(pageSize + i)
      for (let round = 0; round < 6; round++) {
        const damaged = Buffer.from(bytes)
        damageBytes(damaged, random)
        compare(reading.header, damaged, `${recipe.name}, round ${round}`)
      }
    }
  },
)

test('of a page that the disk would not give nothing is known, whatever lay in its place', () => {
  const path = join(folder, 'unread.db')
  recipes[0]?.build(path, 4096)
  const bytes = readFileSync(path)
  const glanced = new PrescannedPages(core, 3, 4096, 4096)
  for (let i = 0; i < 3; i++) glanced.piece.set(bytes.subarray(4096, 8192), i * 4096)
  glanced.take(1, 3, [2])
  const known = [1, 2, 3].map((page) => glanced.leafOf(page) !== null || glanced.firstWordOf(page) !== null)
  expect(known).toEqual([true, false, true])
})

/** @returns leaves without anything to follow or to say that were not seen to be so */
function compare(header: DatabaseHeader, bytes: Uint8Array, what: string): readonly number[] {
  const { pageSize } = header
  const pages = Math.floor(bytes.length / pageSize)
  const pageAt = (page: number): Uint8Array => bytes.subarray((page - 1) * pageSize, page * pageSize)
  const glances = prescanOf(header, {
    fileBytes: bytes.length,
    read: (page, into) => (into.set(pageAt(page)), pageSize),
  })
  const layout = { pageSize, usable: pageSize - header.reservedBytes, autoVacuum: false }
  const missed: number[] = []
  for (let page = 1; page <= pages; page++) {
    const read = readReferences(pageAt(page), page, layout)
    const leaf =
      read.kind === 'references' && read.leaf && read.chains.length === 0 && read.wrongCells === 0 ? read.tree : null
    const seen = glances.leafOf(page)
    if (seen !== null) expect(seen, `${what}, page ${page}`).toBe(leaf)
    else if (leaf !== null) missed.push(page)
    const word = glances.firstWordOf(page)
    if (word !== null) expect(word, `${what}, page ${page}`).toBe(read32(pageAt(page), 0))
  }
  return missed
}
