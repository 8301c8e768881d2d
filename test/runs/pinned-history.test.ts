/**
 * What the ledger keeps of a pinned WAL: frames behind the end of the snapshot lie in the files of the second proof. So
 * no later check may take these files for untouched, and call the rows of these frames a silent change.
 */
import { expect, test } from 'vitest'
import { writeTraceSince } from '../../src/diagnosis/silent-change.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { Evidence, PinEvidence } from '../../src/model/result/evidence.ts'
import type { HeaderMarks, LastGood, PageDigestResult } from '../../src/model/result/last-good.ts'
import { lastGoodFrom } from '../../src/runs/earlier-checks.ts'
import { reading } from '../support/diagnosis.ts'
import { sealed } from '../support/report.ts'

const header: HeaderMarks = { walMode: true, changeCounter: 7, versionValidFor: 7, pageCount: 2, schemaCookie: 1 }
const digests = { format: 1, pageSize: 4096, pages: 2, groupPages: 1, groups: new Uint32Array(2) }
const pages: PageDigestResult = { kind: 'digested', header, digests, changed: null }
const earlier = {
  file: { tenant: tenantId('acme'), path: '/srv/notes/acme.db' },
  lastGood: null,
  hadPages: true,
  abandonedPauseMs: null,
  standingDamage: null,
}

const keptOf = (evidence: Evidence): Omit<LastGood, 'run'> => {
  const kept = lastGoodFrom(reading([], { pages }), earlier, evidence, null)
  if (kept === null) throw new Error('a proven file is kept')
  return kept
}

const pinnedBy = (branch: PinEvidence['branch']): Evidence => ({
  ...sealed,
  level: 'pinned',
  pin: {
    branch,
    heldMs: 50,
    mark: branch === 'wal' ? { frames: 3, salts: '00112233aabbccdd' } : null,
    walGrewBytes: 0,
    journal: 'none',
    checkpoint: 'refused',
    lastSeenConnected: true,
  },
})

test.each([
  ['sealed', sealed, 'untouched'],
  ['pinned without a program', pinnedBy('idle'), 'untouched'],
  ['pinned with a WAL in use', pinnedBy('wal'), 'written'],
] as const)('%s: the same files later are %3$s', (_what, evidence, since) => {
  const kept = keptOf(evidence)
  expect(writeTraceSince(kept, keptOf(sealed).standing, header)).toBe(since)
  // Nor is an earlier sealed check compared with a pinned one.
  expect(writeTraceSince(keptOf(sealed), kept.standing, header)).toBe(since)
})
