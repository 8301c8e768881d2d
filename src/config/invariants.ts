/** The rules of the application (`check.invariants`), as the configuration has them. */

export const invariantSeverities = ['notice', 'inconclusive', 'damage'] as const
type InvariantSeverity = (typeof invariantSeverities)[number]

/** `sql`: one SELECT, whose rows violate the rule. `command`: `{snapshot}` is replaced by the path of a copy. */
type InvariantQuestion =
  | { readonly kind: 'sql'; readonly sql: string }
  | { readonly kind: 'command'; readonly command: readonly [string, ...string[]] }

export interface InvariantRule {
  /** Unique among the rules. */
  readonly name: string
  /** Patterns of ids; null for all tenants, and for bare files. */
  readonly tenants: readonly string[] | null
  /** What a violation is. */
  readonly severity: InvariantSeverity
  readonly timeoutMs: number
  readonly question: InvariantQuestion
}
