/** The result of a check that found damage, together with what a second reading of the same snapshot says. */

import type { Checker } from '../../check/check.ts'
import type { DiagnosisContext } from '../../diagnosis/context.ts'
import { diagnose } from '../../diagnosis/diagnose.ts'
import { theFile } from '../../diagnosis/messages/schema-view.ts'
import type { SnapshotPath } from '../../model/brand.ts'
import type { KeptFiles } from '../../model/kept-file.ts'
import type { Finding } from '../../model/result/finding.ts'
import type { Reading } from '../../model/result/reading.ts'
import type { Result, SecondReading } from '../../model/result/report.ts'
import type { SampleRequest } from '../../model/result/sample.ts'
import { count } from '../../text/count.ts'
import { addSilentChange, digestRequestOf } from '../earlier-checks.ts'
import type { UncheckedFile } from '../file-result.ts'
import { asInconclusive } from '../weigh-evidence.ts'
import { contradicts, readAgain } from './second-reading.ts'

/** What was read, and from where. */
export interface ReadSnapshot {
  readonly reading: Reading
  readonly context: DiagnosisContext
  readonly copy: { readonly path: SnapshotPath; readonly kept: KeptFiles }
  /** null at another depth. */
  readonly sample: SampleRequest | null
  readonly signal: AbortSignal
}

/** Reads a damaged snapshot a second time. @throws {Failure} INTERRUPTED */
export async function confirmDamage(
  result: Result,
  { depth, earlierChecks, evidence }: UncheckedFile,
  { reading, context, copy: { path, kept }, sample, signal }: ReadSnapshot,
  checker: Checker,
): Promise<Result> {
  const snapshot = { path, bytes: kept.get('')?.bytes ?? 0, reading, findings: result.findings }
  const digesting = digestRequestOf(earlierChecks)
  const again = await readAgain(snapshot, {
    checker,
    options: { kept, depth, ...(sample === null ? {} : { sample }), digesting, suspectCompanions: false, signal },
    judge: (second) => diagnose(addSilentChange(second, earlierChecks, evidence), context).verdict.kind,
  })
  return again === null ? result : withSecondReading(result, again)
}

/** Damage that the second reading does not show is no damage of the file: nothing may be mended because of it. */
function withSecondReading(result: Result, secondReading: SecondReading): Result {
  if (!contradicts(secondReading, result.depth === 'sample')) return { ...result, secondReading }
  const finding = readingDiffers(secondReading)
  const reason = `damage was found, and a second reading of the same snapshot from the disk did not show it`
  const unsure = asInconclusive(result, reason, 'holdfast explain reading-differs')
  return { ...unsure, secondReading, findings: [finding, ...result.findings], findingsTotal: result.findingsTotal + 1 }
}

const readingDiffers = ({ pages, differing }: SecondReading): Finding => ({
  rule: 'reading-differs',
  severity: 'notice',
  source: 'census',
  object: theFile,
  text:
    'the damage below is not on the disk: a second reading past the page cache found the file sound' +
    (differing > 0 ? ` (${differing} of ${count(pages, 'page')} hold other bytes in memory than on the disk)` : '') +
    '. Memory, a cable, a controller or the disk of this machine returns wrong bytes now and then',
})
