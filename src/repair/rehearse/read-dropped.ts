/** Reads the list of dropped entries that a confined process wrote. It may be long, and is not trusted. */

import { createReadStream } from 'node:fs'
import { z } from 'zod/mini'
import { Failure } from '../../model/failure.ts'
import type { DroppedEntry } from '../../model/result/account.ts'
import { jsonOrNull } from '../../text/json-text.ts'
import { droppedLineBytesMax } from '../mend/protocol.ts'
import type { DroppedEntries } from './rehearsal-result.ts'

/** The dropped entries, one at a time. @throws {Failure} READ_FAILED if the file is not what the mender writes */
export async function* readDropped({ file, total }: DroppedEntries): AsyncGenerator<DroppedEntry> {
  if (file === null) return
  let seen = 0
  for await (const line of linesOf(file)) {
    seen++
    yield entryIn(line, file)
  }
  if (seen !== total) throw unlike(file, `it has ${seen} entries instead of ${total}`)
}

async function* linesOf(file: string): AsyncGenerator<string> {
  let waiting: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let rest = Buffer.concat([waiting, chunk])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.toString('utf8', 0, end)
      rest = rest.subarray(end + 1)
    }
    if (rest.length > droppedLineBytesMax) throw unlike(file, 'a line is too long')
    waiting = rest
  }
  if (waiting.length > 0) throw unlike(file, 'its last line is not complete')
}

const blob = z.object({ blob: z.string() })
const keyColumn = z.union([z.string(), z.number(), z.null(), blob])
const shape = z.object({
  index: z.string(),
  key: z.union([z.number(), z.string(), z.array(keyColumn), z.null()]),
  columns: z.array(z.string()),
  values: z.array(
    z.union([
      z.string(),
      z.number(),
      z.null(),
      blob,
      z.object({ integer: z.string() }),
      z.object({ real: z.string() }),
    ]),
  ),
})

function entryIn(line: string, file: string): DroppedEntry {
  const { data } = shape.safeParse(jsonOrNull(line))
  if (data === undefined) throw unlike(file, 'a line is no entry')
  return data
}

const unlike = (file: string, what: string): Failure =>
  new Failure('READ_FAILED', `the list of dropped entries cannot be used: ${file}: ${what}`)
