/** How the reference describes a key of the configuration, besides its values and limits. */
export interface KeyMeaning {
  readonly means: string
  /** As it would be written in the file; null if the key has no default. */
  readonly default: string | null
  /** A value, as it would be written in the file. */
  readonly example: string
}
