/** The damaged pages of a run as files of its bundle. */
import { Buffer } from 'node:buffer'
import type { DamagedPage } from '../../model/result/page-map.ts'
import { dumpPage, layoutOfFile } from '../../report/bundle/page-dump.ts'
import { textFile, type BundleFile } from './bundle-file.ts'

/** Of all files together. */
const pagesMax = 2_000

interface PageFolder {
  readonly name: string
  readonly first: Uint8Array | null
  /** Numbers of the pages in it. */
  readonly has: Set<number>
}

/**
 * A file that was checked several times, as by the two passes of a triage, has a folder for each check.
 * @param contents whether contents of rows are shown, and the pages themselves are added
 */
export function pageFiles(pages: Iterable<DamagedPage>, contents: boolean): readonly BundleFile[] {
  const files: BundleFile[] = []
  const folders = new Map<string, PageFolder>()
  let count = 0
  for (const page of pages) {
    if (files.length >= pagesMax) break
    const bytes = Buffer.from(page.bytes, 'base64')
    const key = JSON.stringify([page.tenant, page.path])
    const known = folders.get(key)
    // The first page of a file comes first. A page that comes again belongs to the next check.
    const folder =
      known === undefined || known.has.has(page.page)
        ? { name: folderName(page, ++count), first: page.page === 1 ? bytes : null, has: new Set<number>() }
        : known
    folder.has.add(page.page)
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
  what: 'The same page, as it was kept.',
  bytes: bytes.length,
  pieces: () => [bytes],
})
