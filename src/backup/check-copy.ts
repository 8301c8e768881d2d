/** The full check of a private copy that came out of a backup, of ours or of another program. */
import { contentFormat } from '../census/content-format.ts'
import type { Checker } from '../check/check.ts'
import { diagnose } from '../diagnosis/diagnose.ts'
import { kindOfCopy } from '../hold/file-kind.ts'
import type { SnapshotPath } from '../model/brand.ts'
import { Failure } from '../model/failure.ts'
import type { ContentDigests } from '../model/result/last-good.ts'
import type { AcceptedLimit } from '../model/result/verdict.ts'
import type { BackedUpFile } from './layout.ts'

/** `why`: one clause. */
export type CheckedCopy =
  | { readonly kind: 'sound'; readonly content: ContentDigests; readonly sqlite: string }
  | { readonly kind: 'damaged' | 'inconclusive'; readonly why: string }

export interface CopyCheck {
  readonly checker: Checker
  readonly accept: readonly AcceptedLimit[]
}

/**
 * One plain file is left of a copy with a journal or a WAL beside it.
 * @throws {Failure} INTERRUPTED, CANNOT_CONFINE; the reason of the signal
 */
export async function checkCopy(
  copy: SnapshotPath,
  { tenant, path }: BackedUpFile,
  { checker, accept }: CopyCheck,
  signal: AbortSignal,
): Promise<CheckedCopy> {
  const { contents, recoverable } = kindOfCopy(copy)
  if (contents !== 'sqlite' && !recoverable) {
    const why = contents === 'empty' ? 'it is an empty file' : 'it is no database of SQLite'
    return { kind: 'damaged', why }
  }
  try {
    const reading = await checker.check(copy, { depth: 'full', suspectCompanions: false, signal })
    const about = { tenant, path, serviceSqlite: null, fileSystem: null, links: 1, verifiedBackup: false, accept }
    const { verdict } = diagnose(reading, about)
    switch (verdict.kind) {
      case 'sound':
        return {
          kind: 'sound',
          content: { format: contentFormat(), tables: reading.content },
          sqlite: reading.sqliteVersion,
        }
      case 'damaged': {
        const [first, ...others] = verdict.findings
        const more = others.length === 0 ? '' : `, and ${others.length} more`
        return { kind: 'damaged', why: `a full check found it damaged: ${first.text}${more}` }
      }
      case 'inconclusive':
        return { kind: 'inconclusive', why: `its check was not conclusive: ${verdict.reason}` }
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'INTERRUPTED' || error.code === 'CANNOT_CONFINE') throw error
    return { kind: 'inconclusive', why: `it could not be checked: ${error.message}` }
  }
}
