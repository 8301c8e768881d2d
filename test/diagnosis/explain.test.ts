import { describe, expect, test } from 'vitest'
import { explain, nearestTopics, topics } from '../../src/diagnosis/explain.ts'
import type { Fact, Reading } from '../../src/model/reading.ts'
import { diagnoseEmptyFile, diagnoseNoDatabase } from '../../src/diagnosis/not-a-database.ts'
import { exitCodes } from '../../src/model/exit-code.ts'
import { failureKinds } from '../../src/model/failure.ts'
import { rules } from '../../src/model/finding.ts'
import { renderExplanation } from '../../src/report/explanation.ts'
import { context } from './support.ts'

describe('explain', () => {
  test.each([...rules, ...Object.keys(failureKinds), 'sound', 'damaged', 'inconclusive', 'failed', 'sealed', 'writer-locked', 'maybe-paused', ...Object.values(exitCodes).map(String)])('%s is explained, in any case', (topic) => {
    for (const asked of [topic, topic.toUpperCase(), ` ${topic.toLowerCase().replaceAll('_', '-')} `]) {
      const explanation = explain(asked)
      expect(explanation?.topic).toBe(topic)
      expect(explanation?.means.length).toBeGreaterThan(10)
      expect(explanation?.todo).not.toBe('')
    }
  })

  test('a failure says what to do in the words of the one table', () => {
    expect(explain('in_use')?.todo).toBe(failureKinds.IN_USE.hint)
  })

  test('an unknown topic gets the nearest names, by letters or by words', () => {
    expect(explain('row-mising-from-index')).toBeNull()
    expect(nearestTopics('row-mising-from-index')[0]).toBe('row-missing-from-index')
    expect(nearestTopics('IN_USEE')[0]).toBe('IN_USE')
    expect(nearestTopics('xyzzy-plugh-nothing-like-it')).toEqual([])
    expect(nearestTopics('index-missing-entry')).toContain('row-missing-from-index')
    expect(nearestTopics('a'.repeat(1_000_000)).length).toBeLessThanOrEqual(5)
  })

  test('every explanation fits 80 columns', () => {
    for (const topic of topics) for (const line of renderExplanation(topic, { width: 80, color: false }).split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })
})

describe('files that are no database', () => {
  const bare = { ...context, tenant: null, path: '/tmp/x', knownToLedger: false }
  test('a bare file without a header, or empty, is inconclusive', () => {
    expect(diagnoseNoDatabase('foreign', bare)).toMatchObject({ failure: 'NOT_SQLITE', diagnosis: { verdict: { kind: 'inconclusive' }, damage: 'none', remedy: { do: 'nothing' } } })
    expect(diagnoseEmptyFile(bare, null)).toMatchObject({ failure: 'EMPTY_FILE', diagnosis: { verdict: { kind: 'inconclusive' } } })
  })

  test('an empty file is damaged where the ledger knows pages or a WAL beside it holds commits, and nowhere else', () => {
    const journal = { part: '-journal', bytes: 5000, did: 'ignored' } as const
    const lost: Fact = { kind: 'found', finding: { rule: 'wal-cut', severity: 'damage', source: 'census', object: { kind: 'file', name: 'write-ahead log', table: null }, text: 'commits would be lost' } }
    const beside = (facts: readonly Fact[]): Pick<Reading, 'facts' | 'recovered'> => ({ facts, recovered: { companions: [journal], pagesChanged: null, without: null } })
    for (const tenant of [null, context.tenant]) {
      const said = (knownToLedger: boolean, reading: Pick<Reading, 'facts' | 'recovered'> | null): unknown => {
        const { failure, diagnosis } = diagnoseEmptyFile({ ...bare, tenant, knownToLedger }, reading)
        return [failure, diagnosis.verdict.kind, diagnosis.damage, diagnosis.findings.map(({ rule }) => rule)]
      }
      expect(said(false, null)).toEqual(['EMPTY_FILE', 'inconclusive', 'none', []])
      expect(said(false, beside([]))).toEqual(['EMPTY_FILE', 'inconclusive', 'none', []])
      expect(said(true, null)).toEqual([null, 'damaged', 'file', ['not-a-database']])
      expect(said(false, beside([lost]))).toEqual([null, 'damaged', 'file', ['not-a-database', 'wal-cut']])
    }
    expect(diagnoseEmptyFile(bare, beside([])).diagnosis.verdict).toMatchObject({ reason: expect.stringContaining('/tmp/x-journal (5000 bytes)') as string })
  })

  test.each(['foreign', 'broken-header'] as const)('the same file (%s) as a tenant, or known to the ledger, is damaged', (kind) => {
    for (const known of [{ ...context, knownToLedger: false }, { ...bare, knownToLedger: true }]) {
      expect(diagnoseNoDatabase(kind, known)).toMatchObject({ failure: null, diagnosis: { verdict: { kind: 'damaged' }, damage: 'file', remedy: { do: 'ask' } } })
    }
  })

  test('pages of SQLite behind a broken header are damaged even in a bare file', () => {
    expect(diagnoseNoDatabase('broken-header', bare)).toMatchObject({ failure: null, diagnosis: { damage: 'file', findings: [{ rule: 'header-wrong' }], remedy: { command: 'holdfast repair /tmp/x' } } })
  })

  test('a verified backup is offered', () => {
    expect(diagnoseNoDatabase('foreign', { ...context, verifiedBackup: true, knownToLedger: false }).diagnosis.remedy).toMatchObject({ do: 'restore', command: 'holdfast restore --tenant acme' })
  })
})
