/** `check --live` of one file, with what it came to and the snapshot that it took. */
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Evidence } from '../../../src/model/result/evidence.ts'
import { shortVerdict, holdfast, reportIn, single } from '../cli/program.ts'

export interface LiveCheck {
  /** As `shortVerdict` has it; a file in use is `failed IN_USE`. */
  readonly said: string
  readonly evidence: Evidence
  /** Null if there was no snapshot. */
  readonly copy: string | null
}

/** @param kept a folder for the snapshot, new or empty */
export async function checkLive(file: string, kept: string): Promise<LiveCheck> {
  const result = single(reportIn(await holdfast(['check', '--live', file, '--json', '--keep-snapshot', kept])))
  const [copy] = globSync(`**/${basename(file)}`, { cwd: kept })
  return { said: shortVerdict(result), evidence: result.evidence, copy: copy === undefined ? null : join(kept, copy) }
}
