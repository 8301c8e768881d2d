/** For the doctor: do the files of a quiesced tenant stand still as the service says? Nothing is opened. */
import { Failure } from '../model/failure.ts'
import type { Quiesced } from '../service/port.ts'
import { compareClaims, requireClosed } from './claims.ts'
import { holdersOfPath } from './holders.ts'
import { resolveLivePath } from './live-path.ts'

/**
 * @param listed the files of the tenant in the service's list: the answer must name each of them
 * @returns what could not be looked at: who may have them open all the same
 * @throws {Failure} CONTRACT_BROKEN when a file is not named, is another than the service names, or somebody has it open; and as resolveLivePath
 */
export async function requireStill(answer: Quiesced, listed: readonly string[], roots: readonly string[]): Promise<readonly string[]> {
  const unlooked = new Set<string>()
  requireClosed(answer, 'sealed')
  for (const named of listed) compareClaims(await resolveLivePath(named, roots), answer)
  for (const { path: named } of answer.files ?? []) {
    const path = await resolveLivePath(named, roots)
    compareClaims(path, answer)
    const { holders, unseen, sentence } = await holdersOfPath(path)
    if (holders.length > 0) throw new Failure('CONTRACT_BROKEN', `${path} is not closed: ${sentence}`, { tenant: 'unknown' })
    for (const one of unseen) unlooked.add(one)
  }
  return [...unlooked]
}
