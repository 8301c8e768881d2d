/** The published JSON Schema: real-shaped reports fit, and what no report may be does not. */
import { expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { diagnoseEmptyFile, diagnoseNoDatabase } from '../../src/diagnosis/not-a-database.ts'
import { failureKinds } from '../../src/model/failure.ts'
import { damageClasses, rules } from '../../src/model/result/finding.ts'
import { jsonReport, renderJson } from '../../src/report/json.ts'
import { schemaErrors, reportSchema } from '../support/cli/report-schema.ts'
import { context, messages, reading, thrown } from '../support/diagnosis.ts'
import { damaged, failed, paused, report, sound, unproven } from '../support/report.ts'

const asJson = (value: unknown): Record<string, never> => JSON.parse(JSON.stringify(value)) as Record<string, never>

test('every kind of result fits the schema', () => {
  const results = [
    sound('a'),
    damaged('b'),
    unproven('c'),
    failed('d'),
    paused('e'),
    sound('f', { tenant: null, depth: 'quick' }),
  ]
  expect(schemaErrors(JSON.parse(renderJson(report(results))))).toEqual([])
  expect(schemaErrors(JSON.parse(renderJson(report([], { mode: 'check', registry: 'none' }))))).toEqual([])
  expect(
    schemaErrors(
      JSON.parse(
        renderJson(report(results, { registry: 'cached since 2026-11-20T00:00:00Z', stopped: 'RESUME_FAILED' }), {
          redactKeys: true,
        }),
      ),
    ),
  ).toEqual([])
})

test('whatever diagnosis concludes fits the schema', () => {
  const facts = [
    messages('row 3 missing from index users_mail'),
    messages('Page 9: never used'),
    messages('NULL value in users.mail'),
    messages('CHECK constraint failed in users'),
    messages('In RTree main.rt:\nNode 1 missing from database'),
    messages('Tree 2 page 40 cell 0: Rowid 9223372036854775807 out of order'),
    [thrown('SQLITE_IOERR', 'disk I/O error')],
    [thrown('SQLITE_NOTADB', 'file is not a database')],
    [{ kind: 'child-ended', how: 'crashed', during: 'integrity_check', detail: '' }] as const,
  ]
  const diagnoses = [
    ...facts.map((some) => diagnose(reading(some), context)),
    ...(['foreign', 'broken-header'] as const).map(
      (kind) => diagnoseNoDatabase(kind, { ...context, knownToLedger: false }).diagnosis,
    ),
    ...[true, false].map((knownToLedger) => diagnoseEmptyFile({ ...context, knownToLedger }, null).diagnosis),
  ]
  const results = diagnoses.map(({ verdict, damage, findings, remedy, causes }) =>
    sound('x', {
      verdict: verdict.kind,
      damage,
      findings,
      findingsTotal: findings.length,
      remedy,
      causes,
      ...(verdict.kind === 'inconclusive' ? { reason: verdict.reason } : {}),
    }),
  )
  expect(schemaErrors(JSON.parse(renderJson(report(results))))).toEqual([])
})

test('the schema knows every rule, failure code and damage class of the program, and no other', () => {
  expect(reportSchema.$defs.finding.properties.rule.enum.toSorted()).toEqual([...rules].toSorted())
  expect(reportSchema.$defs.failure.properties.code.enum.toSorted()).toEqual(Object.keys(failureKinds).toSorted())
  expect(reportSchema.$defs.result.properties.damage.enum).toEqual(damageClasses)
})

test('readers may be given more than they know', () => {
  expect(schemaErrors({ ...asJson(report([sound('a')])), later: true })).toEqual([])
})

test.each<[string, (result: ReturnType<typeof damaged>) => unknown]>([
  ['sound with damage', (result) => ({ ...result, verdict: 'sound' })],
  ['damaged without a finding of damage', (result) => ({ ...result, findings: [] })],
  ['damaged with nothing to do', (result) => ({ ...result, remedy: { ...result.remedy, do: 'nothing' } })],
  ['inconclusive without a reason', () => ({ ...asJson(unproven('a')), reason: undefined })],
  ['failed without a failure', () => ({ ...asJson(failed('a')), failure: undefined })],
  ['an unknown verdict', (result) => ({ ...result, verdict: 'ok' })],
  ['a rowid that lost its precision', (result) => ({ ...result, findings: [{ ...result.findings[0], rows: [1.5] }] })],
  ['no evidence', (result) => ({ ...result, evidence: undefined })],
])('refused: %s', (_, change) => {
  const document = asJson(report([damaged('a')]))
  expect(schemaErrors(asJson({ ...document, results: [change(damaged('a'))] }))).not.toEqual([])
})

test('keys come in their fixed order, and the same document comes in pieces', () => {
  const one = report([damaged('b'), failed('d')])
  const text = renderJson(one)
  const document = JSON.parse(text) as { results: object[] }
  expect(Object.keys(document)).toEqual(['schema', 'tool', 'run', 'results', 'summary'])
  expect(Object.keys(document.results[0] ?? {})).toEqual([
    'tenant',
    'path',
    'verdict',
    'damage',
    'findings',
    'findingsTotal',
    'remedy',
    'causes',
    'coverage',
    'content',
    'evidence',
    'timings',
    'depth',
    'readBy',
  ])
  expect(document).toEqual(asJson(one))
  const { results, ...frame } = one
  expect([...jsonReport(frame, results)].join('')).toBe(text)
})

test('redacted keys are digests that are equal within a report and mean nothing outside of it', () => {
  const rows = (): unknown =>
    (
      JSON.parse(renderJson(report([damaged('a'), damaged('b')]), { redactKeys: true })) as {
        results: { findings: { rows: string[] }[] }[]
      }
    ).results.map(({ findings }) => findings[0]?.rows)
  const [first, second] = rows() as [string[], string[]]
  expect(first).toHaveLength(2)
  expect(first).toEqual(second)
  expect(first.join()).toMatch(/^hmac:[0-9a-f]{16},hmac:[0-9a-f]{16}$/)
  expect(rows()).not.toEqual([first, second])
})
