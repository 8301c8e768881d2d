/**
 * The published schemas of the smaller documents: what is printed fits them, every field is described, and what no
 * document may be is refused.
 */
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { explainKeys } from '../../src/config/reference/explain-keys.ts'
import { topicKinds, topics } from '../../src/diagnosis/explain/explain.ts'
import { tenantId } from '../../src/model/brand.ts'
import { exitCodes } from '../../src/model/exit-code.ts'
import { sealLevels } from '../../src/model/result/evidence.ts'
import { damageClasses } from '../../src/model/result/finding.ts'
import { absenceKinds } from '../../src/report/status/absences.ts'
import type { StatusView } from '../../src/report/status/status-view.ts'
import { renderStatus } from '../../src/report/status/status.ts'
import { explanationDocument, topicsDocument } from '../../src/report/text/explanation.ts'
import { renderHistory } from '../../src/report/text/history.ts'
import { problemsOfDocument, schemas } from '../support/cli/json-documents.ts'

type Fields = Readonly<Record<string, unknown>>
const read = (text: string): Fields => JSON.parse(text) as Fields
const time = fc.integer({ min: 0, max: 2_000_000_000_000 })
const orNull = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(value, { nil: null })
const words = {
  verdict: fc.constantFrom('sound', 'damaged', 'inconclusive', 'failed'),
  damage: fc.constantFrom(...damageClasses),
  level: fc.constantFrom(...sealLevels),
  depth: fc.constantFrom('quick', 'full'),
}
const marks = {
  changeCounter: orNull(fc.nat()),
  size: orNull(fc.nat()),
  walSalts: orNull(fc.constant('00112233aabbccdd')),
  pauseMs: orNull(fc.double({ min: 0, max: 1e6, noNaN: true })),
}
const hold = {
  holder: fc.string(),
  run: fc.string(),
  tenant: fc.string({ minLength: 1 }).map(tenantId),
  askedAt: time,
  endsBy: time,
  leaseId: orNull(fc.string()),
  fence: orNull(fc.nat()),
}
const anyView = fc.record({
  service: fc.string({ minLength: 1 }),
  via: fc.constantFrom('admin-api', 'hooks'),
  config: fc.constant('/etc/holdfast.yaml'),
  configNamed: orNull(fc.constant('/etc/holdfast.yaml')),
  tenants: fc.array(
    fc.record({
      tenant: orNull(fc.string()),
      path: fc.string(),
      ...words,
      ...marks,
      verdict: orNull(words.verdict),
      at: time,
      run: fc.string(),
      checkedAt: orNull(time),
      failure: orNull(fc.constantFrom('IN_USE', 'RESUME_FAILED')),
      settled: orNull(
        fc.record({ at: time, run: fc.string(), ...words, verdict: fc.constantFrom('sound', 'damaged'), ...marks }),
      ),
    }),
    { maxLength: 5 },
  ),
  absences: fc.array(
    fc.record({
      kind: fc.constantFrom(...absenceKinds),
      code: fc.constantFrom(1, 2),
      since: orNull(time),
      text: fc.string({ minLength: 1 }),
      command: fc.constant('holdfast sweep'),
    }),
    { maxLength: 3 },
  ),
  openHolds: fc.array(fc.record({ ...hold, leftBehind: fc.boolean() }), { maxLength: 3 }),
  otherHolds: fc.array(
    fc.record({
      ...hold,
      whose: fc.constantFrom('another-service', 'another-way', 'not-said'),
      service: orNull(fc.string()),
      via: fc.constantFrom('admin-api', 'hooks', null),
      address: orNull(fc.string()),
      config: orNull(fc.string()),
    }),
    { maxLength: 3 },
  ),
  lastFullSweepAt: orNull(time),
  harm: orNull(fc.record({ code: fc.string(), run: fc.string(), at: time })),
  incident: orNull(fc.record({ id: fc.string({ minLength: 1 }), since: time })),
  ledgerLost: fc.boolean(),
  generatedAt: time,
  maxAgeMs: fc.integer({ min: 1 }),
  selection: orNull(fc.record({ tenants: fc.array(fc.string()), only: fc.array(fc.string()) })),
  pauses: fc.record({
    count: fc.nat(),
    totalMs: marks.pauseMs.map((ms) => ms ?? 0),
    buckets: fc.array(fc.record({ upToMs: fc.nat(), count: fc.nat() })),
    leasesExpired: fc.nat(),
  }),
  oldestBackupAt: orNull(time),
}) as fc.Arbitrary<StatusView>
const statusOf = (view: StatusView): Fields =>
  read([...renderStatus(view, { format: 'json', width: 80, color: false, verbose: false }).text].join(''))

test('any status fits its schema', () => {
  fc.assert(
    fc.property(anyView, (view) => {
      expect(problemsOfDocument(statusOf(view))).toEqual([])
    }),
  )
})

test('any history fits its schema', () => {
  const entry = fc.record({
    at: time,
    run: fc.string(),
    incident: orNull(fc.string({ minLength: 1 })),
    tenant: orNull(fc.string()),
    path: fc.string(),
    ...words,
    pauseMs: marks.pauseMs,
    failure: orNull(fc.constantFrom('IN_USE')),
  }) as fc.Arbitrary<Parameters<typeof renderHistory>[0]['entries'][number]>
  const change = fc.record({
    at: time,
    run: fc.string(),
    tenant: orNull(fc.string()),
    path: fc.string(),
    change: fc.string(),
    remedy: orNull(fc.constantFrom('rebuild', 'rewrite', 'restore')),
    how: fc.constantFrom('applied', 'rolled-back', 'undone', 'begun'),
  }) as fc.Arbitrary<Parameters<typeof renderHistory>[0]['changes'][number]>
  const lists = [fc.array(entry, { maxLength: 5 }), fc.array(change, { maxLength: 5 })] as const
  fc.assert(
    fc.property(...lists, orNull(fc.constant('holdfast history')), (entries, changes, older) => {
      const incident = older === null ? null : { id: 'x', since: 1 }
      const json = renderHistory({ entries, changes, incident, older }, { format: 'json', width: 80, color: false })
      expect(problemsOfDocument(read(json))).toEqual([])
    }),
  )
})

test('every explanation fits its schema, and so does the list of topics', () => {
  const all = [...topics, ...explainKeys()]
  for (const [at, one] of all.entries())
    expect(problemsOfDocument(read(JSON.stringify(explanationDocument(one, at === 0 ? all.slice(1, 3) : []))))).toEqual(
      [],
    )
  expect(problemsOfDocument(read(JSON.stringify(topicsDocument(all))))).toEqual([])
})

test('the words of the schemas are those of the program', () => {
  const enumsIn = (name: string): Readonly<Record<string, readonly (readonly unknown[])[]>> => {
    const found: Record<string, (readonly unknown[])[]> = {}
    JSON.stringify(schemas.get(name), (key, value: unknown) => {
      const words = (value as { readonly enum?: readonly unknown[] } | null)?.enum
      if (words) (found[key] ??= []).push(words)
      return value
    })
    return found
  }
  for (const name of ['status', 'history']) {
    for (const found of enumsIn(name)['damage'] ?? []) expect(found).toEqual(damageClasses)
    for (const found of enumsIn(name)['level'] ?? []) expect(found).toEqual(sealLevels)
    expect(enumsIn(name)).toMatchObject({ damage: expect.anything() as unknown, level: expect.anything() as unknown })
  }
  for (const name of ['explanation', 'topics']) expect(enumsIn(name)['kind']).toEqual([topicKinds])
  const codes = Object.values(exitCodes).filter(
    (code) => code !== exitCodes.sound && code !== exitCodes.damaged && code !== exitCodes.differ,
  )
  expect(enumsIn('failure')['exitCode']).toEqual([codes])
})

test('each schema names its document, and the package exports it', () => {
  const { exports } = read(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly exports: Fields
  }
  for (const [name, schema] of schemas) {
    expect([name, schema.$id, (schema['properties'] as { readonly schema: unknown }).schema]).toEqual([
      name,
      `urn:holdfast:${name}:1`,
      { const: `holdfast.${name}/1` },
    ])
    expect(exports[`./${name}.schema.json`]).toBe(`./dist/${name}.schema.json`)
  }
})

describe('refused', () => {
  const view: StatusView = {
    service: 'notes',
    via: 'hooks',
    tenants: [],
    openHolds: [],
    otherHolds: [],
    config: '/c',
    configNamed: null,
    lastFullSweepAt: 1,
    harm: null,
    incident: null,
    absences: [],
    ledgerLost: false,
    generatedAt: 2,
    maxAgeMs: 3,
    selection: null,
    oldestBackupAt: null,
    pauses: { count: 0, totalMs: 0, buckets: [], leasesExpired: 0 },
  }
  const step = { about: 'x', outcome: 'unfit', said: 'y', next: 'z' }
  const ending = {
    holder: 'h',
    run: 'r',
    tenant: 'a',
    askedAt: 1,
    endsBy: 2,
    leaseId: null,
    fence: null,
    resumed: true,
    how: 'resumed',
    failure: null,
    complaint: null,
    written: true,
  }
  const key = {
    schema: 'holdfast.explanation/1',
    topic: 'hold.ttl',
    kind: 'configuration key',
    means: 'x',
    cause: '',
    todo: '',
    value: { allowed: 'x', unit: null, default: null, required: false, example: 'x' },
  }
  const good: Readonly<Record<string, Fields>> = {
    status: statusOf(view),
    fitness: { schema: 'holdfast.fitness/1', steps: [step] },
    resume: { schema: 'holdfast.resume/1', holds: [ending] },
    explanation: key,
    holders: {
      schema: 'holdfast.holders/1',
      path: '/a',
      holders: [{ pid: 1, command: 'x', modes: ['read'], path: '/a' }],
      unseen: [],
    },
    failure: {
      schema: 'holdfast.failure/1',
      tool: { version: '1' },
      failure: { code: 'USAGE', message: 'x', hint: 'y', tenantState: 'untouched' },
      exitCode: 64,
    },
  }
  test('not: a hold that was not resumed, and one that was made in another way', () => {
    const open = { ...ending, resumed: false, how: null, failure: 'RESUME_FAILED', written: false }
    const other = { ...ending, whose: 'another-way', service: null, via: 'hooks', address: '["ctl"]', config: '/c' }
    expect(problemsOfDocument({ ...good['resume'], holds: [open, other] })).toEqual([])
  })

  test.each(Object.entries(good))('not: a good %s', (_, document) => {
    expect(problemsOfDocument(document)).toEqual([])
  })

  test.each<[string, Fields]>([
    ['an OK with another code', { ...good['status'], state: 'OK', code: 2, reasons: [] }],
    ['an OK with a reason', { ...good['status'], state: 'OK', code: 0, reasons: ['DAMAGED 1: a'] }],
    ['a status without its counts', { ...good['status'], counts: undefined }],
    ['a field that is not described', { ...good['status'], other: 1 }],
    ['unfit without what to do', { ...good['fitness'], steps: [{ ...step, next: null }] }],
    ['an unknown outcome', { ...good['fitness'], steps: [{ ...step, outcome: 'well' }] }],
    ['no steps', { ...good['fitness'], steps: [] }],
    ['resumed with a failure', { ...good['resume'], holds: [{ ...ending, failure: 'RESUME_FAILED' }] }],
    [
      'not resumed, and written down as ended',
      { ...good['resume'], holds: [{ ...ending, resumed: false, how: null, failure: 'RESUME_FAILED' }] },
    ],
    ['unknown holds without the leases', { ...good['resume'], unknown: true }],
    ['a field of a step that is not described', { ...good['fitness'], steps: [{ ...step, other: 1 }] }],
    ['a field of a hold that is not described', { ...good['resume'], holds: [{ ...ending, other: 1 }] }],
    ['a key whose value has no default', { ...key, value: { ...key.value, default: undefined } }],
    ['an empty list of other meanings', { ...key, others: [] }],
    ['a holder that holds nothing', { ...good['holders'], holders: [{ pid: 1, command: 'x', modes: [], path: '/a' }] }],
    ['a failure that is a success', { ...good['failure'], exitCode: 0 }],
    ['a document without a schema', { ...good['failure'], schema: 'holdfast.other/1' }],
  ])('%s', (_, document) => {
    expect(problemsOfDocument(read(JSON.stringify(document)))).not.toEqual([])
  })

  test('not: more than a reader knows, by the published schema', () => {
    expect(JSON.stringify([...schemas.values()].filter(({ $id }) => $id !== 'urn:holdfast:report:1'))).not.toMatch(
      /unevaluatedProperties|additionalProperties|propertyNames/,
    )
  })
})
