/**
 * Reads the rows of a damaged file page by page, in a confined child, and writes them into a new file. A salvage that
 * ends too early begins anew. It reads the file once, as fast as the disk gives it, and a new file that was written in
 * part proves nothing.
 */
import { fchownSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { ChildLimits } from '../../check/confined-child.ts'
import { confinedUser, type User } from '../../check/confinement.ts'
import { Sandbox } from '../../check/sandbox.ts'
import { otherDisk } from '../../hold/snapshot/draft.ts'
import { monotonicMs } from '../../host/clock.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { copyRegularFile } from '../../host/files/copy-file.ts'
import { openDescriptor } from '../../host/files/descriptor.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { KeptFiles } from '../../model/kept-file.ts'
import type { AccountedKind } from '../../model/result/account.ts'
import type { AccountDraft } from '../account/account-draft.ts'
import type { KeyKind } from './facts.ts'
import { names, type SalvageProgress } from './protocol.ts'
import { SalvageProcess } from './salvage-process.ts'
import type { SalvageResult } from './salvage-result.ts'

export interface SalvageOptions {
  /** For the sandbox: a folder of ours, on the file system of the new file and of the damaged one. */
  readonly folder: string
  /** A sound database whose schema is used where that of the damaged file cannot be read; null if there is none. */
  readonly schemaOf: SnapshotPath | null
  /** For the child. `timeoutMs`: for the whole salvage. */
  readonly limits: ChildLimits & { readonly timeoutMs: number }
  readonly onProgress?: (progress: SalvageProgress) => void
  /**
   * Gets the keys of rows that are not in their table, were rebuilt, or are contradicted by indexes, and the entries
   * that do so. Default: the keys are in the facts only.
   */
  readonly account?: AccountDraft
}

/** One plain file, as a check has left it. `kept`: as in `CheckOptions`; null for the file that is there. */
export interface DamagedSnapshot {
  readonly path: SnapshotPath
  readonly kept: KeptFiles | null
}

/** The new file holds each row once, apart from indexes and from what is at odds: this many times the damaged one. */
const growthMax = 4
const leastFileBytes = 256 << 20

/**
 * @param to the new file; its facts get the name `to` + `-facts`. Neither may exist.
 * @throws {Failure} NOT_SQLITE if it has no pages of a database; CANNOT_CONFINE, READ_FAILED, NO_SPACE and others
 * @throws signal.reason if it was aborted. Nothing is left then.
 */
export function salvage(
  damaged: DamagedSnapshot,
  to: string,
  options: SalvageOptions,
  signal: AbortSignal,
): Promise<SalvageResult> {
  return salvageInto(damaged, to, options, signal).catch((error: unknown) => {
    signal.throwIfAborted()
    throw systemFailure(error, { doing: 'salvage a file into', path: to, elsewhere: otherDisk, concerns: 'machine' })
  })
}

async function salvageInto(
  damaged: DamagedSnapshot,
  to: string,
  options: SalvageOptions,
  signal: AbortSignal,
): Promise<SalvageResult> {
  signal.throwIfAborted()
  const startedMs = monotonicMs()
  const user = confinedUser()
  await using sandbox = await Sandbox.open(options.folder, user)
  await sandbox.link(damaged.path, damaged.kept)
  if (options.schemaOf !== null) await putSchema(options.schemaOf, join(sandbox.folder, names.schema), user)
  const fileBytesMax = Math.max(leastFileBytes, growthMax * statSync(damaged.path).size)
  const salvaged = await runChild(sandbox.folder, user, fileBytesMax, options, signal)
  const facts = `${to}-facts`
  await sandbox.takeOut(names.result, to)
  try {
    await sandbox.takeOut(names.facts, facts)
  } catch (error) {
    unlinkSync(to)
    throw error
  }
  return { ...salvaged, file: to, facts, ms: monotonicMs() - startedMs }
}

/** No process runs in the sandbox afterwards. */
async function runChild(
  folder: string,
  user: User | null,
  fileBytesMax: number,
  { limits, schemaOf, onProgress, account }: SalvageOptions,
  signal: AbortSignal,
): Promise<Omit<SalvageResult, 'file' | 'facts' | 'ms'>> {
  await using process = await SalvageProcess.start(folder, user, limits, signal)
  await process.limitFileSize(fileBytesMax)
  for (;;) {
    const { memoryBytesMax } = limits
    const answer = await process.goOn({
      memoryBytesMax,
      hasSchema: schemaOf !== null,
      listDropped: account !== undefined,
    })
    if (answer.kind === 'ended') {
      if (account !== undefined) await writeAccount(process, account)
      return answer.salvaged
    }
    if (answer.kind === 'not-possible')
      throw new Failure('NOT_SQLITE', `no page of a database could be read: ${answer.why}`, {
        hint: 'name a backup of this file with --from: its header says how the pages lie',
      })
    onProgress?.({ step: answer.progress, done: answer.done, total: answer.total })
  }
}

/** Without a backup, `kept` are the rows that the new file has, those in doubt among them. */
async function writeAccount(process: SalvageProcess, account: AccountDraft): Promise<void> {
  for (const { id, name, rows } of await process.tables()) {
    let unreadable = 0
    account.beginTable(name)
    for await (const keys of process.keysOf(id)) {
      for (const [kind, accounted] of Object.entries(kinds)) {
        const some = keys.filter((key) => key.kind === kind).map(({ key }) => key)
        if (kind === 'unreadable') unreadable += some.length
        account.addKeys(accounted, some)
      }
    }
    for await (const pages of process.pagesOf(id)) account.addPages(pages)
    for await (const ranges of process.lostRangesOf(id)) account.addLostRanges(ranges)
    const union = rows + unreadable
    account.endTable({ kept: rows, union, leftOutByUnique: 0, leftOutByForeignKey: 0 })
  }
  for await (const entries of process.dropped()) for (const { entry } of entries) account.addDropped(entry)
}

const kinds = {
  unreadable: 'unreadable',
  orphaned: 'orphaned',
  'from-index': 'fromIndex',
  doubted: 'doubted',
} as const satisfies Record<KeyKind, AccountedKind>

/** Puts a copy of a sound database beside the damaged one. */
async function putSchema(from: SnapshotPath, to: string, user: User | null): Promise<void> {
  await copyRegularFile(from, to, 'refuse')
  using copy = openDescriptor(to, 'read-only')
  if (user !== null) fchownSync(copy.number, user.uid, user.gid)
}
