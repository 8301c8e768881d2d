/** The steps of a check at depth `sample`: a range of pages, and the interior pages that say whose they are. */
import type { Reader } from '../protocol.ts'
import type { ReadingBuilder } from '../reading-builder.ts'
import { rangeBytes } from './census-steps.ts'
import { SqliteSteps } from './sqlite-steps.ts'

export async function runSample(reading: ReadingBuilder, reader: Reader): Promise<void> {
  const { sample, memoryBytesMax } = reading.limits
  const steps = await SqliteSteps.runSchema(reading, reader)
  const plan = steps?.plan ?? null
  if (sample === null || plan === null) return reading.skip('pages', steps?.noPlanWhy ?? 'the schema was not read')
  const half = Math.floor(memoryBytesMax / 2)
  const ready = await reading.step(reader, { step: 'plan', plan, key: reading.key, memoryBytesMax: half })
  if (ready?.kind === 'not-possible') reading.skip('pages', ready.why)
  if (ready?.kind !== 'ready') return
  const first = sample.from > plan.pages ? 1 : sample.from
  const last = Math.min(plan.pages, first + Math.max(1, Math.ceil(plan.pages * sample.share)) - 1)
  const piece = Math.max(1, Math.floor(rangeBytes / plan.pageSize))
  for (let page = first; page <= last; page += piece) {
    if ((await reading.step(reader, { step: 'scan', first: page, last: Math.min(last, page + piece - 1) })) === null)
      return
    reading.setAccounted(Math.min(last, page + piece - 1) - first + 1)
  }
  const answer = await reading.step(reader, { step: 'judgeSample', first, last })
  if (answer === null) return
  reading.addFindings(answer.findings)
  reading.pagesRead = answer.pagesRead
  if (answer.unread !== null) return reading.skip('pages', answer.unread)
  reading.sampled = { first, last }
}
