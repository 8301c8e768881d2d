/** The accounting of all pages of one snapshot, slice by slice. */
import { count } from '../text/count.ts'
import type { Reader, ReadingBuilder } from './reading-builder.ts'

/** Pages of one slice of the accounting: about a tenth of a second, so that a person sees it move. */
const slicePages = 10_000

export async function accountForPages(reading: ReadingBuilder, pages: Reader): Promise<void> {
  const { map, digesting, memoryBytesMax } = reading.limits
  for (;;) {
    const answer = await reading.step(pages, {
      step: 'account',
      pagesMax: slicePages,
      map,
      digest: digesting.kind === 'pages',
      memoryBytesMax: Math.floor(memoryBytesMax / 2),
    })
    if (answer === null) return
    if (answer.kind === 'not-possible') return reading.skip('pages', answer.why)
    reading.pages = answer.pages
    reading.pagesRead = answer.pagesRead
    reading.accounted(answer.pagesRead)
    if (answer.kind === 'going-on') continue
    reading.groups = answer.groups
    reading.found(answer.findings)
    if (answer.pagesUnread > 0)
      reading.skip('pages', `${count(answer.pagesUnread, 'page')} could not be read from the disk`)
    return
  }
}
