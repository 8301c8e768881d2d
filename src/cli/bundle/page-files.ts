/** The damaged pages of a run as files of its bundle. */
import { Buffer } from 'node:buffer'
import type { DamagedPage } from '../../model/result/page-map.ts'
import { dumpPage, layoutOfFile } from '../../report/bundle/page-dump.ts'
import { textFile, type BundleFile } from './bundle-file.ts'

/** Of all files together. */
const pagesMax = 2_000

/** @param contents whether contents of rows are shown, and the pages themselves are added */
export function pageFiles(pages: Iterable<DamagedPage>, contents: boolean): readonly BundleFile[] {
  const files: BundleFile[] = []
  const folders = new Map<string, { readonly name: string; readonly first: Uint8Array | null }>()
  for (const page of pages) {
    if (files.length >= pagesMax) break
    const bytes = Buffer.from(page.bytes, 'base64')
    const key = JSON.stringify([page.tenant, page.path])
    // The first page of a file comes first.
    const folder = folders.get(key) ?? {
      name: folderName(page, folders.size + 1),
      first: page.page === 1 ? bytes : null,
    }
    folders.set(key, folder)
    const layout = layoutOfFile(folder.first, page.pageSize)
    const name = `pages/${folder.name}/page-${page.page}`
    files.push(textFile(`${name}.txt`, pageWords(page), dumpPage(page, bytes, layout, contents)))
    if (contents) files.push(wholePage(`${name}.bin`, bytes))
  }
  return files
}

/** Only letters that every file system has. */
const folderName = ({ tenant, path }: DamagedPage, number: number): string =>
  `${number}-${(tenant ?? path).replaceAll(/[^A-Za-z0-9_-]+/g, '_').slice(0, 40)}`

const pageWords = ({ page, why }: DamagedPage): string => `Page ${page}: ${why.join(', ')}.`

const wholePage = (name: string, bytes: Uint8Array): BundleFile => ({
  name,
  what: 'The same page, byte for byte.',
  bytes: bytes.length,
  pieces: () => [bytes],
})
