/** Child side: text in the encoding of a database. */
import type { TextEncoding } from '../../../../census/plan.ts'
import { decoderOf } from '../../../../census/record/row-key.ts'

export const textEncodingOf = (encoding: number): TextEncoding => (encoding === 2 || encoding === 3 ? encoding : 1)

export const sqliteText = (bytes: Uint8Array, encoding: number): string =>
  decoderOf(textEncodingOf(encoding)).decode(bytes)
