/** The two files cannot be merged. The message says why, in words for an operator. */
export class MergeRefused extends Error {
  override readonly name = 'MergeRefused'
}
