/** At the end of a sweep: which tenants have another schema than most. */
import { schemaDiffers } from '../../diagnosis/notices/schema-differs.ts'
import type { ServiceRun } from '../../runs/begin/service-run.ts'
import { count } from '../../text/count.ts'
import type { ResultsDocument } from '../report-run/results-document.ts'

const namedMax = 10

/** Adds a finding to the result of each such tenant, and one sentence to the run. @throws {Failure} LEDGER_UNUSABLE */
export async function reportSchemaOutliers(
  { ledger }: Pick<ServiceRun, 'ledger'>,
  document: Pick<ResultsDocument, 'addLate' | 'addNotice'>,
): Promise<void> {
  const { outliers, total } = await ledger.schemaOutliers()
  if (total === 0) return
  for (const outlier of outliers) document.addLate(outlier.tenant, outlier.path, schemaDiffers(outlier))
  const names = outliers.slice(0, namedMax).map(({ tenant }) => tenant)
  document.addNotice(
    `${count(total, 'file has', 'files have')} another schema than most tenants: ${names.join(', ')}` +
      (total > names.length ? ` and ${total - names.length} more` : ''),
  )
}
