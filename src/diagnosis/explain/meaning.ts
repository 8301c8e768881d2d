/** The meaning of one rule, code or word. Each table of explain has one for each of its topics. */

export interface Meaning {
  /** What it means, in one or two sentences. */
  readonly means: string
  /** How it comes about. */
  readonly cause: string
  /** What to do about it. */
  readonly todo: string
}
