/** The result of a check that found no damage, with what the rules of the application say. */

import { withInvariants } from '../../diagnosis/notices/invariants.ts'
import type { Result } from '../../model/result/report.ts'
import type { RunContext } from '../begin/run-context.ts'
import type { ReadSnapshot } from '../confirm/confirm-damage.ts'
import type { UncheckedFile } from '../file-result.ts'
import { judgeInvariants, rulesFor } from './judge-invariants.ts'

/**
 * On a snapshot that was not read to its end the rules would say nothing, and they are not judged.
 * @throws {Failure} INTERRUPTED
 */
export async function withRules(
  result: Result,
  { target }: UncheckedFile,
  { reading, copy: { path, kept }, signal }: ReadSnapshot,
  terms: Pick<RunContext, 'checker' | 'folder' | 'invariants'>,
): Promise<Result> {
  if (!reading.complete || reading.depth === 'sample' || rulesFor(target, terms.invariants).length === 0) return result
  const snapshot = { path, kept, bytes: kept.get('')?.bytes ?? 0 }
  return withInvariants(result, await judgeInvariants(target, snapshot, terms, signal))
}
