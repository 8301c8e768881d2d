/** The damaged pages of a bundle: each file in the archive has a name of its own. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pageFiles } from '../../../src/cli/bundle/page-files.ts'
import type { TenantId } from '../../../src/model/brand.ts'
import type { DamagedPage } from '../../../src/model/result/page-map.ts'
import { pageToKeep } from '../../../src/report/bundle/page-dump.ts'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'

const pageOf = (tenant: string, page: number): DamagedPage => ({
  tenant: tenant as TenantId,
  path: `/srv/${tenant}.db`,
  page,
  pageSize: 4096,
  why: ['page-malformed'],
  bytes: '',
})

test('a file that was checked twice, as by a triage, has a folder for each check', () => {
  const pages = [pageOf('acme', 1), pageOf('acme', 7), pageOf('bolt', 1), pageOf('acme', 1), pageOf('acme', 7)]
  expect(pageFiles(pages, false).map(({ name }) => name)).toEqual([
    'pages/1-acme/page-1.txt',
    'pages/1-acme/page-7.txt',
    'pages/2-bolt/page-1.txt',
    'pages/3-acme/page-1.txt',
    'pages/3-acme/page-7.txt',
  ])
})

test('a damaged page is kept whole; of one that only leads to it, or has the header, the structure alone', () => {
  using folder = makeFolder()
  const bytes = readFileSync(makeDatabase(folder.in('a.db')))
  const at = (page: number, why: readonly string[]): DamagedPage => ({
    ...pageOf('acme', page),
    why,
    bytes: bytes.subarray((page - 1) * 4096, page * 4096).toString('base64'),
  })
  const first = bytes.subarray(0, 4096)
  const keptOf = (page: DamagedPage): string => Buffer.from(pageToKeep(page, first).bytes, 'base64').toString('latin1')
  const leaf = leafOf(bytes)
  expect(keptOf(at(leaf, ['page-malformed', 'leads to page 9']))).toContain('body 7 ')
  const beside = pageToKeep(at(leaf, ['leads to page 9']), first)
  expect(beside.masked).toBe(true)
  expect(keptOf(at(leaf, ['leads to page 9']))).not.toContain('body')
  const [dump] = pageFiles([pageToKeep(at(1, ['header']), first), beside], true).filter(({ name }) =>
    name.endsWith(`page-${leaf}.txt`),
  )
  const text = Buffer.concat([...(dump?.pieces() ?? [])].map((piece) => Buffer.from(piece))).toString()
  expect(text).toMatch(/B-tree page: leaf of a table/)
  expect(text).toContain('was not kept')
  expect(keptOf(at(1, ['header']))).toContain('SQLite format 3')
})

/** The number of a page with rows. */
const leafOf = (bytes: Uint8Array): number => {
  for (let page = 2; page * 4096 <= bytes.length; page++) if (bytes[(page - 1) * 4096] === 13) return page
  throw new Error('no leaf of a table')
}
