/** The steps about pages: account, objects and finish. Each puts its answers into the reading. */
import { count } from '../../text/count.ts'
import type { Reader } from '../protocol.ts'
import type { ReadingBuilder } from '../reading-builder.ts'
import { namedPages } from './named-pages.ts'

/** Pages that one question accounts for: about a tenth of a second, so that a person sees the progress. */
const pagesEachQuestion = 10_000

/** Accounts for all pages, question by question. */
export async function runAccount(reading: ReadingBuilder, reader: Reader): Promise<void> {
  const { map, digesting, memoryBytesMax } = reading.limits
  for (;;) {
    const answer = await reading.step(reader, {
      step: 'account',
      pagesMax: pagesEachQuestion,
      map,
      digest: digesting.kind === 'pages',
      memoryBytesMax: Math.floor(memoryBytesMax / 2),
    })
    if (answer === null) return
    if (answer.kind === 'not-possible') return reading.skip('pages', answer.why)
    reading.pages = answer.pages
    reading.pagesRead = answer.pagesRead
    reading.setAccounted(answer.pagesRead)
    if (answer.kind === 'going-on') continue
    reading.groups = answer.groups
    reading.addFindings(answer.findings)
    if (answer.pagesUnread > 0)
      reading.skip('pages', `${count(answer.pagesUnread, 'page')} could not be read from the disk`)
    return
  }
}

/** For a schema that SQLite could not read: takes the objects that its pages name. */
export async function runObjects(reading: ReadingBuilder, reader: Reader): Promise<void> {
  reading.objects = (await reading.step(reader, { step: 'objects' }))?.objects ?? []
}

/** Asks for the owners of the pages that facts name, and for the digests. Closes everything in the reader. */
export async function runFinish(reading: ReadingBuilder, reader: Reader): Promise<void> {
  // A process that ended has taken the map of owners with it.
  if (reading.facts.some((fact) => fact.kind === 'child-ended')) return
  const answer = await reading.step(reader, {
    step: 'finish',
    pages: namedPages(reading.facts),
    digesting: reading.limits.digesting,
  })
  reading.owners = answer?.owners ?? new Map()
  reading.digested = answer?.digested ?? { kind: 'not-digested' }
}
