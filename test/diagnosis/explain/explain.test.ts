import { describe, expect, test } from 'vitest'
import { explainKeys } from '../../../src/config/reference/explain-keys.ts'
import { explain, nearestTopics, topics } from '../../../src/diagnosis/explain/explain.ts'
import { diagnoseEmptyFile, diagnoseNoDatabase } from '../../../src/diagnosis/not-a-database.ts'
import { exitCodes } from '../../../src/model/exit-code.ts'
import { failureKinds } from '../../../src/model/failure.ts'
import { rules } from '../../../src/model/result/finding.ts'
import type { Fact, Reading } from '../../../src/model/result/reading.ts'
import { renderExplanations, renderTopics } from '../../../src/report/text/explanation.ts'
import { context } from '../../support/diagnosis.ts'
import { pattern } from '../../support/pattern.ts'

const all = [...topics, ...explainKeys()]

/** The vocabulary of the project, and words that stand in reports. */
const needed = [
  'tenant',
  'live-set',
  'service',
  'quiesce',
  'resume',
  'lease',
  'hold',
  'seal',
  'proof',
  'probe',
  'guardian',
  'draft',
  'snapshot',
  'evidence',
  'check',
  'finding',
  'verdict',
  'remedy',
  'rehearsal',
  'ledger',
  'census',
  'gate',
  'sweep',
  'registry',
  'notice',
  'leak',
  'coverage',
  'confinement',
  'few-calls',
  'salvage',
  'unknown-collation',
  'bug',
  'contract',
  'stale',
  'not-covered',
  'paused?',
  'manifest',
  'page',
  'entry',
  'rowid',
  'row',
  'clock',
  'salvage-command',
  'triage',
  'suspicion',
  'culprit',
  'incident',
  'alarm',
  'sink',
  'reconcile',
  'bundle',
  'fleet',
  'agent',
  'coordinator',
  'chunk',
  'slot',
  'breaker',
  'outbox',
]
const words = topics.filter(({ kind }) => kind === 'word').map(({ topic }) => topic)
const limits = topics.filter(({ kind }) => kind === 'limit').map(({ topic }) => topic)
const meanings = [
  ...rules,
  ...Object.keys(failureKinds),
  'sound',
  'damaged',
  'inconclusive',
  'failed',
  'sealed',
  'writer-locked',
  'maybe-paused',
  'wal-reset-bug',
  'rebuild',
  ...Object.values(exitCodes).map(String),
]

test.each([
  ['row-missing-from-index', 'holdfast repair FILE'],
  ['fts-broken', 'holdfast repair FILE'],
  ['freelist-broken', 'holdfast repair FILE'],
  ['page-out-of-range', 'holdfast restore --tenant ID'],
  ['page-out-of-range', 'holdfast salvage COPY --to NEW'],
  ['tree-unowned', 'holdfast salvage COPY --to NEW'],
])('%s: what to type', (rule, command) => {
  expect(explain(rule)[0]?.todo).toContain(`\`${command}\``)
})

describe('explain', () => {
  test.each(meanings)('%s is explained, in any case', (topic) => {
    for (const asked of [topic, topic.toUpperCase(), ` ${topic.toLowerCase().replaceAll('_', '-')} `]) {
      const [explanation] = explain(asked)
      expect(explanation?.topic).toBe(topic)
      expect(explanation?.means.length).toBeGreaterThan(10)
      expect(explanation?.todo).not.toBe('')
    }
  })

  test('the words that are needed are known', () => {
    expect(needed.filter((word) => ![...words, ...limits].includes(word))).toEqual([])
  })

  test.each(words)('the word %s is explained in a few plain sentences', (word) => {
    const [explanation] = explain(word.replaceAll('-', ' '), all)
    expect(explanation?.kind).toBe('word')
    const sentences = explanation?.means.split(/(?<=[.:]) /) ?? []
    expect(sentences.length).toBeLessThanOrEqual(4)
    for (const sentence of sentences) expect(sentence.split(' ').length, sentence).toBeLessThanOrEqual(25)
  })

  test('further meanings of a name are printed too', () => {
    expect(explain('none').map(({ kind }) => kind)).toEqual(['damage class', 'seal level'])
    expect(explain('ledger', all).map(({ kind }) => kind)).toEqual(['word', 'configuration key'])
    expect(renderExplanations(explain('none'), { width: 80, color: false })).toMatch(
      /^none \(damage class\)\n[^]*\n\nnone \(seal level\)\n/,
    )
  })

  test('a key has what may stand there, its default and an example', () => {
    expect(renderExplanations(explain('HOLD.maxpause', all), { width: 80, color: false })).toMatch(
      pattern(
        /^hold\.maxPause \(configuration key\)\n {2}means {4}[^]*\n/,
        / {2}value {4}a duration from 10ms to 1h[^]*\n {2}default {2}10s\n/,
        / {2}example {2}hold: \{ maxPause: 500ms \}\n$/,
      ),
    )
    expect(explain('service.hooks', all)).toMatchObject([
      { topic: 'service.hooks', todo: expect.stringContaining('service.hooks.quiesce') as string },
    ])
  })

  test('a failure says what to do in the words of the one table', () => {
    expect(explain('in_use')[0]?.todo).toBe(failureKinds.IN_USE.hint)
  })

  test('an unknown topic gets the nearest names, by letters, by words, or because they hold it', () => {
    expect(explain('row-mising-from-index')).toEqual([])
    expect(nearestTopics('row-mising-from-index')[0]).toBe('row-missing-from-index')
    expect(nearestTopics('IN_USEE')[0]).toBe('IN_USE')
    expect(nearestTopics('hold.maxpuase', all)[0]).toBe('hold.maxPause')
    expect(nearestTopics('maxPause', all)).toContain('hold.maxPause')
    expect(nearestTopics('guardain', all)[0]).toBe('guardian')
    for (const topic of ['xyzzy-plugh-nothing-like-it', 'x', '']) expect(nearestTopics(topic, all)).toEqual([])
    expect(nearestTopics('index-missing-entry')).toContain('row-missing-from-index')
    expect(nearestTopics('a'.repeat(1_000_000), all).length).toBeLessThanOrEqual(5)
  })

  test('every explanation and the list of them fit 80 columns', () => {
    const options = { width: 80, color: false }
    for (const text of [...all.map((topic) => renderExplanations([topic], options)), renderTopics(all, options)]) {
      for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    }
  })

  test('the list names every topic once in its group', () => {
    const listed = renderTopics(all, { width: 1_000_000, color: false })
      .split('\n')
      .filter((line) => line.startsWith('  '))
      .flatMap((line) => line.trim().split(', '))
    expect(listed.toSorted()).toEqual(all.map(({ topic }) => topic).toSorted())
  })
})

describe('files that are no database', () => {
  const bare = { ...context, tenant: null, path: '/tmp/x', knownToLedger: false }
  test('a bare file without a header, or empty, is inconclusive', () => {
    expect(diagnoseNoDatabase('foreign', bare)).toMatchObject({
      failure: 'NOT_SQLITE',
      diagnosis: { verdict: { kind: 'inconclusive' }, damage: 'none', remedy: { do: 'nothing' } },
    })
    expect(diagnoseEmptyFile(bare, null)).toMatchObject({
      failure: 'EMPTY_FILE',
      diagnosis: { verdict: { kind: 'inconclusive' } },
    })
  })

  test('an empty file is damaged only if the ledger knows pages of it, or a WAL beside it holds commits', () => {
    const journal = { part: '-journal', bytes: 5000, did: 'ignored' } as const
    const lost: Fact = {
      kind: 'found',
      finding: {
        rule: 'wal-cut',
        severity: 'damage',
        source: 'census',
        object: { kind: 'file', name: 'write-ahead log', table: null },
        text: 'commits would be lost',
      },
    }
    const beside = (facts: readonly Fact[]): Pick<Reading, 'facts' | 'recovered'> => ({
      facts,
      recovered: { companions: [journal], pagesChanged: null, without: null },
    })
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
    expect(diagnoseEmptyFile(bare, beside([])).diagnosis.verdict).toMatchObject({
      reason: expect.stringContaining('/tmp/x-journal (5,000 bytes)') as string,
    })
  })

  test.each(['foreign', 'broken-header'] as const)(
    'the same file (%s) as a tenant, or known to the ledger, is damaged',
    (kind) => {
      for (const known of [
        { ...context, knownToLedger: false },
        { ...bare, knownToLedger: true },
      ]) {
        expect(diagnoseNoDatabase(kind, known)).toMatchObject({
          failure: null,
          diagnosis: { verdict: { kind: 'damaged' }, damage: 'file', remedy: { do: 'ask' } },
        })
      }
    },
  )

  test('pages of SQLite behind a broken header are damaged even in a bare file', () => {
    expect(diagnoseNoDatabase('broken-header', bare)).toMatchObject({
      failure: null,
      diagnosis: {
        damage: 'file',
        findings: [{ rule: 'header-wrong' }],
        remedy: { command: 'holdfast salvage /tmp/x --to /tmp/x.salvaged' },
      },
    })
  })

  test('a verified backup is offered', () => {
    expect(
      diagnoseNoDatabase('foreign', { ...context, verifiedBackup: true, knownToLedger: false }).diagnosis.remedy,
    ).toMatchObject({ do: 'restore', command: 'holdfast restore --tenant acme' })
  })
})
