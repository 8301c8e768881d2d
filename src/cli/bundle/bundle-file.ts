/** A file of a bundle, whose content is made when it is written: a report may not fit into memory. */
import { jsonText } from '../../text/json-text.ts'

export interface BundleFile {
  readonly name: string
  /** One sentence for README.txt. */
  readonly what: string
  readonly bytes: number
  /** The same at each call. */
  readonly pieces: () => Iterable<string | Uint8Array>
}

export const textFile = (name: string, what: string, text: string): BundleFile => longFile(name, what, () => [text])

export const jsonFile = (name: string, what: string, value: unknown): BundleFile =>
  textFile(name, what, `${jsonText(value)}\n`)

/** Makes the content once, to count its bytes. */
export function longFile(name: string, what: string, pieces: BundleFile['pieces']): BundleFile {
  let bytes = 0
  for (const piece of pieces()) bytes += Buffer.byteLength(piece)
  return { name, what, bytes, pieces }
}
