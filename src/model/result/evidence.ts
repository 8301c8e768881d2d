/** Evidence: the record of lease, seal, proofs and snapshot that goes into every result. */

/** Seal levels (hold/README.md), the strongest last. `none`: no hold was made, or it reached no seal. */
export const sealLevels = ['none', 'pinned', 'writer-locked', 'exclusive', 'sealed'] as const
export type SealLevel = (typeof sealLevels)[number]

/** True if `level` is at least as strong as `required`. */
export const isAtLeast = (level: SealLevel, required: SealLevel): boolean =>
  sealLevels.indexOf(level) >= sealLevels.indexOf(required)

export type LiveSetPart = '' | '-wal' | '-shm' | '-journal'
/** The suffixes of the files of a live set, which are always handled together. */
export const liveSetParts = ['', '-wal', '-shm', '-journal'] as const satisfies readonly LiveSetPart[]

/** How a process has a file. */
export type HolderMode = 'read' | 'write' | 'mapped' | 'lock' | 'lease'

/** One process that has a file open, mapped or locked. */
export interface Holder {
  readonly pid: number
  readonly command: string
  readonly modes: readonly HolderMode[]
  readonly path: string
}

/** The state of one file in a proof. `dev`, `ino` and times (ns since 1970) are decimal strings: they exceed 2^53. */
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

/** The answers that a second process got. It stops at the first that is granted. */
export interface ProbeAnswer {
  readonly raw: 'refused' | 'granted'
  readonly read: 'refused' | 'granted' | 'not-tried'
  readonly write: 'refused' | 'granted' | 'not-tried'
}

/** How a snapshot of level `pinned` was taken, beside programs that use the file (hold/pinned/README.md). */
export interface PinEvidence {
  /**
   * `wal`: the WAL was pinned. `idle`: no program was connected. `rollback-journal`: writers waited with their commits.
   */
  readonly branch: PinBranch
  /** From the first lock until the last one was released, in ms. */
  readonly heldMs: number
  /** Where the snapshot ends in the WAL. Frames 0: it is the main file alone. Null in the other branches. */
  readonly mark: { readonly frames: number; readonly salts: string } | null
  /** Bytes by which the WAL file grew while the pin stood. */
  readonly walGrewBytes: number
  /** What lay in the journal. `hot`: copied too. `in-use`: of a transaction that had changed nothing yet. */
  readonly journal: 'none' | 'hot' | 'in-use'
  /** Whether SQLite itself, in a second process, was refused a checkpoint. `not-tried`: it met damage before it. */
  readonly checkpoint: 'refused' | 'not-tried'
  /** False if no program was connected when the pin ended: its WAL then waits for the next start of the program. */
  readonly lastSeenConnected: boolean
}

type PinBranch = 'wal' | 'idle' | 'rollback-journal'

export interface Evidence {
  readonly level: SealLevel
  readonly lock: { readonly kind: 'ofd'; readonly ranges: readonly string[] } | null
  /** Before and after the copy. */
  readonly probe: { readonly before: ProbeAnswer | null; readonly after: ProbeAnswer | null } | null
  readonly lease: { readonly state: 'held' | 'refused' | 'unsupported'; readonly files: number } | null
  /** Null at other levels than `pinned`. */
  readonly pin: PinEvidence | null
  readonly holders: readonly Holder[]
  /** What could not be checked when holdfast searched for holders. */
  readonly unseen: readonly string[]
  readonly proofs: readonly Proof[]
  readonly quiesce: QuiesceEvidence | null
  readonly snapshot: SnapshotEvidence | null
  readonly fileSystem: string | null
  /** Number of attempts; 1 if the first succeeded. In a fleet, each wait for leave to pause counts too. */
  readonly attempts: number
}

export interface QuiesceEvidence {
  readonly via: 'admin-api' | 'hooks'
  readonly leaseId: string
  /** null for hooks, which have neither fences nor boot ids. */
  readonly fence: number | null
  readonly bootId: string | null
  /** Length of the pause in ms: by the clock of the service, or by ours for hooks; null if not known. */
  readonly heldMs: number | null
  readonly continuous: boolean | null
  readonly sqliteVersion: string | null
}

export type CopyMethod = 'reflink' | 'copy_file_range' | 'read-write'
export interface SnapshotEvidence {
  /** Of the main database file as it was copied; lower-case hex. */
  readonly sha256: string
  /** Bytes of all files of the snapshot. */
  readonly bytes: number
  readonly method: CopyMethod | 'warm+tail'
  /** Bytes that were copied during the pause. */
  readonly tailBytes: number
  readonly files: readonly { readonly part: LiveSetPart; readonly bytes: number; readonly sha256: string }[]
}

export const noEvidence: Evidence = {
  level: 'none',
  lock: null,
  probe: null,
  lease: null,
  pin: null,
  holders: [],
  unseen: [],
  proofs: [],
  quiesce: null,
  snapshot: null,
  fileSystem: null,
  attempts: 0,
}
