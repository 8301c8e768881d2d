/** A run that stores one last good check after the other in the ledger argv[2] until it is killed: a dot for each. */

import { writeSync } from 'node:fs'
import { openLedger } from '../../../src/ledger/open-ledger.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'

const [, , dir = ''] = process.argv
const ledger = await openLedger(dir, newRunId())
for (let count = 1; ; count++) {
  await ledger.storeLastGood({
    tenant: tenantId('acme'),
    path: '/srv/a.db',
    schema: null,
    basis: null,
    paces: [],
    header: { walMode: false, changeCounter: count, versionValidFor: count, pageCount: 4096, schemaCookie: 3 },
    standing: { provenAt: count, bootId: '', files: [] },
    content: { format: '', tables: [] },
    pages: { format: 1, pageSize: 4096, pages: 4096, groupPages: 1, groups: new Uint32Array(4096).fill(count) },
  })
  writeSync(1, '.')
}
