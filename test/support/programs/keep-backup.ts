/** Keeps a database as a backup, again and again with other contents, until it is killed. Arguments: store, file. */
import { openBackups } from '../../../src/backup/store.ts'
import { tenantId, type SnapshotPath } from '../../../src/model/brand.ts'
import { noEvidence } from '../../../src/model/result/evidence.ts'

const [store = '', database = ''] = process.argv.slice(2)
const backups = openBackups(store)
for (let round = 0; ; round++) {
  const kept = await backups.keep(
    database as SnapshotPath,
    {
      tenant: tenantId('acme'),
      path: '/srv/notes/acme.db',
      service: 'notes',
      origin: 'held',
      takenAt: new Date(Date.UTC(2026, 10, 1) + round * 1000).toISOString(),
      // Another content each time, so that none is a confirmation.
      content: { format: '1', tables: [{ name: 'events', rows: round, digest: '0' }] },
      evidence: noEvidence,
      tool: { version: '0.0.0', sqlite: '3.54.1' },
    },
    new AbortController().signal,
  )
  process.stdout.write(`${kept.backup.id}\n`)
}
