/** The notice about a file whose schema is not that of most tenants. Pure. */

import type { Finding } from '../../model/result/finding.ts'
import type { SchemaOutlier } from '../../model/result/last-good.ts'
import { groupDigits } from '../../text/count.ts'

export const schemaDiffers = ({ alike, of }: SchemaOutlier): Finding => ({
  rule: 'schema-differs',
  severity: 'notice',
  source: 'ledger',
  object: { kind: 'schema', name: 'sqlite_schema', table: null },
  text:
    `the schema is not that of most tenants: ${groupDigits(alike)} of ${groupDigits(of)} have the same one. ` +
    '`holdfast compare` with another tenant shows each difference',
})
