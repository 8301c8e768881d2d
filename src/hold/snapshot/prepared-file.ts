import type { InspectedFile } from '../inspect-files.ts'
import type { Draft } from './draft.ts'
import type { WarmCopy } from './warm-copy.ts'

/** A file that may be copied as soon as its tenant stands still. */
export interface PreparedFile extends InspectedFile {
  readonly draft: Draft
  /** Null if all bytes are copied in the pause. */
  readonly warm: WarmCopy | null
}
