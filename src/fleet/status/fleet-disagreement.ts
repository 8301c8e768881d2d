/** What a reconciliation of the fleet finds, by rules. */

/** The gravest first. */
export const fleetRules = [
  'tenant-on-no-host',
  'tenant-on-several-hosts',
  'replica-missing',
  'host-unknown',
  'host-missed',
  'slot-without-agent',
  'results-missing',
  'counts-differ',
  'never-checked',
] as const
export type FleetRule = (typeof fleetRules)[number]

export interface FleetDisagreement {
  readonly rule: FleetRule
  readonly host: string | null
  readonly service: string | null
  readonly tenant: string | null
  /** A sentence. */
  readonly said: string
  /** The command that helps; null if a person must decide. */
  readonly next: string | null
}

/** What was found by one rule. */
export interface RuleDisagreements {
  readonly rule: FleetRule
  /** All, also those that are not listed. */
  readonly total: number
  /** At most `listedOfRuleMax`. */
  readonly listed: readonly FleetDisagreement[]
}

export const listedOfRuleMax = 1000

/** For a disagreement that is not about a host or a tenant. */
export const aboutNothing = { host: null, service: null, tenant: null, next: null } as const
