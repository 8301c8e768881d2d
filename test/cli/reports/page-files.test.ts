/** The damaged pages of a bundle: each file in the archive has a name of its own. */
import { expect, test } from 'vitest'
import { pageFiles } from '../../../src/cli/bundle/page-files.ts'
import type { TenantId } from '../../../src/model/brand.ts'
import type { DamagedPage } from '../../../src/model/result/page-map.ts'

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
