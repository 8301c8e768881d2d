/** The child cannot do it with these files. The message says why, in words for an operator. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError'
}
