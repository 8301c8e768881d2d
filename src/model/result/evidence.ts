/** Evidence: the record of lease, seal, proofs and snapshot that goes into every report (interfaces.md, `evidence`). */

/** hold/README.md, seal levels, strongest last. `none`: no hold was made, the caller vouches for the file. */
export const sealLevels = ['none', 'writer-locked', 'exclusive', 'sealed'] as const
export type SealLevel = (typeof sealLevels)[number]

/** True when `level` is at least as strong as `required`. */
export const isAtLeast = (level: SealLevel, required: SealLevel): boolean =>
  sealLevels.indexOf(level) >= sealLevels.indexOf(required)

export type LiveSetPart = '' | '-wal' | '-shm' | '-journal'
/** Suffixes of a live set: it is always handled as one. */
export const liveSetParts = ['', '-wal', '-shm', '-journal'] as const satisfies readonly LiveSetPart[]

/** One process that has a file open, mapped or locked. */
export interface Holder {
  readonly pid: number
  readonly command: string
  readonly modes: readonly ('read' | 'write' | 'mapped' | 'lock' | 'lease')[]
  readonly path: string
}

/** One file as a proof saw it. `dev`, `ino` and times (ns since 1970) are decimal strings: they exceed 2^53. */
export interface FileProof {
  readonly part: LiveSetPart
  readonly dev: string
  readonly ino: string
  readonly size: number
  readonly mtimeNs: string
  readonly ctimeNs: string
  readonly links: number
  readonly lease: 'write' | 'none'
}

export interface Proof {
  readonly at: string
  readonly files: readonly FileProof[]
  /** File change counter of the header (offset 24). */
  readonly changeCounter: number
  /** Salts of the WAL header, as eight hex bytes; null without a WAL. */
  readonly walSalts: string | null
}

/** What a second process was told when it tried. It stops at the first thing that it is granted. */
export interface ProbeAnswer {
  readonly raw: 'refused' | 'granted'
  readonly read: 'refused' | 'granted' | 'not-tried'
  readonly write: 'refused' | 'granted' | 'not-tried'
}

export interface Evidence {
  readonly level: SealLevel
  readonly lock: { readonly kind: 'ofd'; readonly ranges: readonly string[] } | null
  /** Before and after the copy. */
  readonly probe: { readonly before: ProbeAnswer | null; readonly after: ProbeAnswer | null } | null
  readonly lease: { readonly state: 'held' | 'refused' | 'unsupported'; readonly files: number } | null
  readonly holders: readonly Holder[]
  /** What could not be looked at when holders were sought. */
  readonly unseen: readonly string[]
  readonly proofs: readonly Proof[]
  readonly quiesce: QuiesceEvidence | null
  readonly snapshot: SnapshotEvidence | null
  readonly fileSystem: string | null
  /** Attempts it took, 1 when the first came through. */
  readonly attempts: number
}

export interface QuiesceEvidence {
  readonly via: 'admin-api' | 'hooks'
  readonly leaseId: string
  /** null for hooks, which have neither fences nor boot ids. */
  readonly fence: number | null
  readonly bootId: string | null
  /**
   * Length of the pause in ms, by the service's clock, or by ours where the service is reached by hooks; null while
   * unknown.
   */
  readonly heldMs: number | null
  readonly continuous: boolean | null
  readonly sqliteVersion: string | null
}

export type CopyMethod = 'reflink' | 'copy_file_range' | 'read-write'
export interface SnapshotEvidence {
  /** Of the main database file as copied, lower-case hex. */
  readonly sha256: string
  /** Bytes of all files of the snapshot. */
  readonly bytes: number
  readonly method: CopyMethod | 'warm+tail'
  /** Bytes that were copied while the tenant stood still. */
  readonly tailBytes: number
  readonly files: readonly { readonly part: LiveSetPart; readonly bytes: number; readonly sha256: string }[]
}

export const noEvidence: Evidence = {
  level: 'none',
  lock: null,
  probe: null,
  lease: null,
  holders: [],
  unseen: [],
  proofs: [],
  quiesce: null,
  snapshot: null,
  fileSystem: null,
  attempts: 0,
}
