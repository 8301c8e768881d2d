/** Merges what a damaged file still has into its backup. A confined child does it, on a copy of the backup. */

import { statSync } from 'node:fs'
import { confinedUser } from '../../check/confinement.ts'
import type { User } from '../../check/confinement.ts'
import { Sandbox } from '../../check/sandbox.ts'
import { otherDisk } from '../../hold/snapshot/draft.ts'
import { monotonicMs } from '../../host/clock.ts'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { programBeside } from '../../host/process/program-beside.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import { accountedKinds } from '../../model/result/account.ts'
import type { ConflictRule } from '../../model/result/account.ts'
import type { TableLoss } from '../../model/result/remedy.ts'
import type { AccountDraft } from '../account/account-draft.ts'
import { WorkingChild, type WorkingProgram } from '../worker/working-child.ts'
import { mergeFiles } from './protocol.ts'
import type { MergeSteps } from './protocol.ts'
import type { UnmergedTable } from './unmerged-table.ts'

/** Sound files, each one plain file. They are only read. */
export interface MergeInputs {
  /** A restored backup from before the damage. */
  readonly backup: SnapshotPath
  /** The new file that a salvage of the damaged file has written, and its facts (repair/salvage/facts.ts). */
  readonly salvaged: SnapshotPath
  readonly facts: SnapshotPath
  /** True if the salvage could read the whole schema: a table that only the backup has was then dropped. */
  readonly schemaIsWhole: boolean
}

export interface MergeOptions {
  /** Which version of a row stays if both sides have it with different values. */
  readonly prefer: ConflictRule
  /** Gets the keys of all rows. It stays the caller's. */
  readonly account: AccountDraft
  /** For the sandbox: a folder of ours, on the file system of `to`. */
  readonly folder: string
  /** For the child. */
  readonly memoryBytesMax: number
  readonly niceness: number
  readonly timeoutMs: number
  readonly onProgress?: (progress: MergeProgress) => void
}

export interface MergeProgress {
  /** `compare`, `write`: table by table. `verify`: foreign keys, full-text indexes. `account`: keys are listed. */
  readonly step: 'copy' | 'compare' | 'write' | 'verify' | 'account'
  /** Tables. */
  readonly done: number
  readonly total: number
}

export interface MergeResult {
  /** One plain file, closed and not yet synced. It was not checked yet. */
  readonly file: string
  /** Tables that have rows other than kept ones. */
  readonly losses: readonly TableLoss[]
  readonly unmerged: readonly UnmergedTable[]
  readonly ms: number
}

/**
 * @param to must not exist
 * @throws {Failure} REMEDY_REFUSED if the two files cannot be merged, with the reason; CANNOT_CONFINE, NO_SPACE,
 * READ_FAILED and others; signal.reason if it was aborted. `to` does not exist then.
 */
export async function merge(
  inputs: MergeInputs,
  to: string,
  options: MergeOptions,
  signal: AbortSignal,
): Promise<MergeResult> {
  try {
    return await mergeInside(inputs, to, options, signal)
  } catch (error) {
    throw systemFailure(error, {
      doing: 'let a process merge files in',
      path: options.folder,
      elsewhere: otherDisk,
      concerns: 'machine',
    })
  }
}

async function mergeInside(
  inputs: MergeInputs,
  to: string,
  options: MergeOptions,
  signal: AbortSignal,
): Promise<MergeResult> {
  const startedMs = monotonicMs()
  signal.throwIfAborted()
  options.onProgress?.({ step: 'copy', done: 0, total: 0 })
  const user = confinedUser()
  await using sandbox = await Sandbox.open(options.folder, user)
  await sandbox.copyIn(inputs.backup, null, signal, mergeFiles.result)
  await sandbox.copyIn(inputs.salvaged, null, signal, mergeFiles.newer)
  await sandbox.copyIn(inputs.facts, null, signal, mergeFiles.facts)
  const result = await runSteps(sandbox, user, inputs, options, signal)
  await sandbox.takeOut(mergeFiles.result, to)
  return { file: to, ...result, ms: monotonicMs() - startedMs }
}

const program: WorkingProgram = {
  path: programBeside(import.meta.url, 'child/merge-child'),
  name: 'merge-child',
  process: 'the process that merges',
  file: 'the merged file',
  spaceHint: 'name a folder on another disk in snapshots.dir (for files: `--snapshots DIR`, or TMPDIR)',
  crashCode: 'REMEDY_REFUSED',
  refusal: (why) =>
    new Failure('REMEDY_REFUSED', `the backup and the damaged file cannot be merged: ${why}`, {
      hint: 'leave --merge-newer out to restore the backup alone; `holdfast salvage` writes the newer rows to a file',
    }),
}

/** No process runs in the sandbox afterwards. */
async function runSteps(
  sandbox: Sandbox,
  user: User | null,
  inputs: MergeInputs,
  options: MergeOptions,
  signal: AbortSignal,
): Promise<Pick<MergeResult, 'losses' | 'unmerged'>> {
  await using process = await WorkingChild.start<MergeSteps>(program, sandbox.folder, user, options, signal)
  await process.ask({ step: 'limitFileSize', fileBytesMax: fileBytesOf(inputs) })
  const { prefer, onProgress = () => undefined } = options
  const { tables } = await process.ask<'open'>({ step: 'open', prefer, schemaIsWhole: inputs.schemaIsWhole })
  const total = tables.length
  for (const step of ['compare', 'write'] as const)
    for (const table of tables.keys()) {
      onProgress({ step, done: table, total })
      await process.ask({ step, table })
    }
  onProgress({ step: 'verify', done: 0, total })
  const { unmerged } = await process.ask<'complete'>({ step: 'complete' })
  const losses: TableLoss[] = []
  for (const [table, name] of tables.entries()) {
    onProgress({ step: 'account', done: table, total })
    const loss = await accountFor(process, table, name, options.account)
    if (loss !== null) losses.push(loss)
  }
  await process.ask({ step: 'close' })
  return { losses, unmerged }
}

/** Lists all rows of one table in the account. @returns what the plan says of it; null if nothing is lost */
async function accountFor(
  process: WorkingChild<MergeSteps>,
  table: number,
  name: string,
  account: AccountDraft,
): Promise<TableLoss | null> {
  const { totals, loss, pages } = await process.ask<'totals'>({ step: 'totals', table })
  account.beginTable(name)
  for (const kind of accountedKinds)
    for (let isLast = false; !isLast;) {
      const answer = await process.ask<'keys'>({ step: 'keys', table, kind })
      account.addKeys(kind, answer.keys)
      isLast = answer.isLast
    }
  account.addPages(pages)
  for (let isEnd = false; !isEnd;) {
    const { ranges, isLast } = await process.ask<'lostRanges'>({ step: 'lostRanges', table })
    account.addLostRanges(ranges)
    isEnd = isLast
  }
  account.endTable(totals)
  return loss
}

/**
 * Greatest length of a file that the child may write. The result is no longer than both sides together; lists of keys,
 * and the files in which SQLite sorts, may be as long again.
 */
function fileBytesOf({ backup, salvaged, facts }: MergeInputs): number {
  const together = [backup, salvaged, facts].reduce((sum, path) => sum + statSync(path).size, 0)
  return Math.max(leastFileBytes, 4 * together)
}

const leastFileBytes = 64 << 20
