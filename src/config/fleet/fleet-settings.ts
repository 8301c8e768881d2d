/** The settings of the section `fleet`, checked and complete. */

/** Where the database of the fleet is. Neither kind has a password in it. */
export type FleetAddress =
  /** A folder on this machine. One process opens it, and serves the others. */
  | { readonly kind: 'pglite'; readonly dir: string }
  | {
      readonly kind: 'postgres'
      /** A name or an address; or the absolute path of the folder of a unix socket. */
      readonly host: string
      readonly port: number
      /** null: the PG variables or the name of the system's user. */
      readonly user: string | null
      readonly database: string
    }

export interface FleetSettings {
  readonly database: FleetAddress
  /** null: the PG variables or no password. */
  readonly passwordFile: string | null
  /** null: the authorities that Node.js brings. */
  readonly caFile: string | null
  /** The name of this host in the fleet. */
  readonly host: string
  /** What fails together, such as a rack or a zone; null if hosts fail singly. */
  readonly domain: string | null
  /** Whether jobs are announced by LISTEN. */
  readonly notify: boolean
  /** So long after a slot was asked for, holds may begin in it. */
  readonly windowMs: number
  /** So long a coordinator watches a slot that is taken before it frees it. */
  readonly expiryMs: number
  /** How many tenants may be paused at the same time: everywhere, of one service, and in one domain. */
  readonly maxPaused: { readonly fleet: number; readonly service: number; readonly domain: number }
  readonly outbox: { readonly maxBytes: number }
  /** When the coordinator begins a sweep; null: it begins none by itself. */
  readonly schedule: { readonly at: string; readonly zone: string } | null
  readonly replicas: readonly MeantReplicas[]
}

/** An entry of `fleet.replicas`: tenants that are meant to be on several hosts. */
export interface MeantReplicas {
  /** Patterns of ids (text/glob.ts). */
  readonly tenants: readonly string[]
  /** On how many hosts each of them is meant to be. */
  readonly hosts: number
}
