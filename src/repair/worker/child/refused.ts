/** The child cannot do it with these files. The message says why, in words for an operator. */
export class Refused extends Error {
  override readonly name = 'Refused'
}
