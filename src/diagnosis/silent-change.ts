/**
 * Finds bytes that changed although nothing wrote to the file (check/README.md). A finding must never blame a disk for
 * what a program did, so the first question is what shows that nothing wrote:
 *
 * - `untouched`: the file system shows it. The database file, and its WAL and journal if they are not empty, have the
 * same inode, size and time of last change. Every write of a program changes that time, in every journal mode. This is
 * not enough if the file was last written within a tick of the clock before the proof. Across a restart of the machine
 * it is not enough alone, because a power cut may keep data and lose the time. With a rollback journal the change
 * counter of SQLite must then agree. In WAL mode it cannot: commits and checkpoints that leave page 1 do not change it.
 * - `uncounted`: only SQLite shows it. Inode, size, change counter and header are the same and there is no WAL, but the
 * file system recorded a write. A program may ignore the locks of SQLite. Or a file is made again each night with the
 * same number of transactions, or was restored and written to up to the same count. So it is a notice, never damage.
 * - `written`: anything else. The file was written or replaced, and nothing is reported.
 *
 * Knowingly missed are changes on the disk before a program moves time or counter. So are files that were replaced
 * under their name, or have another device number. So are WAL databases across a restart, and free pages, which hold
 * nothing.
 */

import type { Finding, FoundObject } from '../model/result/finding.ts'
import type { ChangedPages, ContentDigests, HeaderMarks, LastGood, LiveSetState } from '../model/result/last-good.ts'
import type { Reading } from '../model/result/reading.ts'
import { count } from '../text/count.ts'
import { theFile, viewSchema } from './messages/schema-view.ts'
import { nameObject } from './sentence.ts'

export interface PresentState {
  readonly standing: LiveSetState
  readonly content: ContentDigests
}

/** The clock of file systems ticks at least every 10 ms; this is many ticks. */
const tickMs = 100

/** null if nothing changed, or if it is not certain that nothing wrote to the file. */
export function silentChange(
  earlier: LastGood,
  now: PresentState,
  reading: Pick<Reading, 'pages' | 'objects'>,
): Finding | null {
  if (reading.pages.kind === 'not-digested' || reading.pages.changed === null) return null
  const { header, changed } = reading.pages
  const since = writeTraceSince(earlier, now.standing, header)
  if (since === 'written') return null
  const view = viewSchema({ objects: reading.objects, owners: new Map() })
  const owners = changed.owners.map((root) => (root === 0 ? theFile : view.atRoot(root)))
  const rows = rowsSince(earlier.content, now.content, owners)
  const [only = theFile] = owners
  const object = owners.length === 1 ? only : theFile
  return {
    rule: 'content-changed-silently',
    source: 'ledger',
    object,
    total: changed.pages,
    severity: since === 'untouched' && rows.kind !== 'same' ? 'damage' : 'notice',
    ...(changed.pages === 1 ? { page: changed.runs[0]?.[0] ?? 0 } : {}),
    text: describe(changed, owners, earlier, since, header, rows),
  }
}

function describe(
  changed: ChangedPages,
  owners: readonly FoundObject[],
  { standing, run }: LastGood,
  since: Exclude<WriteTrace, 'written'>,
  { changeCounter }: HeaderMarks,
  rows: RowChange,
): string {
  const verb = changed.pages === 1 ? 'has' : 'have'
  const lastSound = `the last sound check (${new Date(standing.provenAt).toISOString()}, run ${run})`
  const although = {
    untouched: 'nothing has written to the file since',
    uncounted:
      `the change counter of SQLite is still ${changeCounter} (a program wrote the file without SQLite, ` +
      'or replaced it by a file with the same count)',
  }[since]
  return `${whichPages(changed, owners)} ${verb} changed since ${lastSound}, although ${although}: ${inWords(rows)}`
}

type WriteTrace = 'untouched' | 'uncounted' | 'written'

export function writeTraceSince(
  earlier: Pick<LastGood, 'standing' | 'header'>,
  now: LiveSetState,
  header: HeaderMarks,
): WriteTrace {
  const then = earlier.standing
  if (!samePlaces(then, now)) return 'written'
  const counts = !earlier.header.walMode && !header.walMode && sameMarks(earlier.header, header)
  const sameTimes = then.files.every(({ mtimeNs }, i) => now.files[i]?.mtimeNs === mtimeNs)
  if (!sameTimes) return counts && then.files.length === 1 ? 'uncounted' : 'written'
  const settled = then.files.every(({ mtimeNs }) => Number(BigInt(mtimeNs) / 1_000_000n) + tickMs < then.provenAt)
  const sameBoot = then.bootId !== '' && then.bootId === now.bootId
  return settled && (sameBoot || counts) ? 'untouched' : 'written'
}

const samePlaces = (then: LiveSetState, now: LiveSetState): boolean =>
  then.files.length === now.files.length &&
  then.files.every(({ part, dev, ino, size }, i) => {
    const file = now.files[i]
    return file?.part === part && file.dev === dev && file.ino === ino && file.size === size
  })

const sameMarks = (then: HeaderMarks, now: HeaderMarks): boolean =>
  then.changeCounter === now.changeCounter &&
  then.versionValidFor === now.versionValidFor &&
  then.pageCount === now.pageCount &&
  then.schemaCookie === now.schemaCookie

/** `same`: everything that the changed pages hold was read, and no row and no entry changed. */
type RowChange =
  | { readonly kind: 'same' }
  | { readonly kind: 'changed'; readonly tables: readonly string[] }
  | { readonly kind: 'unknown' }

/**
 * Only tables need to be compared: the census compares index entries with rows, and the page accounting checks pages of
 * no tree.
 */
function rowsSince(then: ContentDigests, now: ContentDigests, owners: readonly FoundObject[]): RowChange {
  if (then.format !== now.format) return { kind: 'unknown' }
  const digests = new Map(then.tables.map(({ name, digest }) => [name, digest]))
  const tables = now.tables
    .filter(({ name, digest }) => digest !== null && (digests.get(name) ?? digest) !== digest)
    .map(({ name }) => name)
  if (tables.length > 0) return { kind: 'changed', tables }
  const known = new Set(
    now.tables.flatMap(({ name, digest }) => (digest !== null && (digests.get(name) ?? null) !== null ? [name] : [])),
  )
  return owners.every((owner) => owner === theFile || owner.kind === 'index' || known.has(owner.table ?? owner.name))
    ? { kind: 'same' }
    : { kind: 'unknown' }
}

function inWords(rows: RowChange): string {
  switch (rows.kind) {
    case 'changed':
      return `rows of ${few(rows.tables)} changed`
    case 'same':
      return 'no row and no index entry changed: the bytes lie where nothing is stored'
    case 'unknown':
      return 'whether rows changed is not known'
  }
}

function whichPages({ runs, pages, groupPages }: ChangedPages, owners: readonly FoundObject[]): string {
  const ranges = runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
  const listedPages = runs.reduce((sum, [first, last]) => sum + last - first + 1, 0)
  const more = pages > listedPages ? ` and ${pages - listedPages} more` : ''
  const some = groupPages > 1 ? `at least one of every ${groupPages} of ` : ''
  const of = owners.filter((owner) => owner !== theFile).map(nameObject)
  return `${some}${pages === 1 ? 'page' : 'pages'} ${ranges.join(', ')}${more}${of.length === 0 ? '' : ` (${few(of)})`}`
}

const namesMax = 5
const few = (names: readonly string[]): string =>
  names.length > namesMax
    ? `${names.slice(0, namesMax).join(', ')} and ${count(names.length - namesMax, 'other')}`
    : names.join(', ')
