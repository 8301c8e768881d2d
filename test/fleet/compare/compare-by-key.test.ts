/** Rows of two hosts are compared by messages of text: the same differences as side by side, and no values. */
import { describe, expect, test } from 'vitest'
import { ComparedSide } from '../../../src/check/compare/compared-side.ts'
import { diagnose } from '../../../src/diagnosis/diagnose.ts'
import { askAgents } from '../../../src/fleet/compare/rows/ask-agents.ts'
import { compareByKey, type AskedCopy } from '../../../src/fleet/compare/rows/compare-by-key.ts'
import type { AskHost } from '../../../src/fleet/compare/rows/remote-reader.ts'
import { answerOf, isAboutRows, describeFile } from '../../../src/fleet/compare/rows/row-answers.ts'
import {
  rowAnswers,
  rowFailure,
  rowQuestion,
  rowsEachPass,
  type SentQuestion,
} from '../../../src/fleet/compare/rows/row-questions.ts'
import { serveRows } from '../../../src/fleet/compare/rows/serve-rows.ts'
import { monotonicMs } from '../../../src/host/clock.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { Failure } from '../../../src/model/failure.ts'
import type { TableComparison } from '../../../src/model/result/comparison.ts'
import type { ServiceRun } from '../../../src/runs/begin/service-run.ts'
import { fill, tableOf, useComparedDatabases } from '../../support/check/compared-databases.ts'
import { compareInProcess, openInProcess } from '../../support/compare-in-process.ts'
import { context } from '../../support/diagnosis.ts'
import { readInProcess } from '../../support/read-in-process.ts'

const { changed, make } = useComparedDatabases()

/** All messages, as the database has them. */
interface Wire {
  readonly texts: string[]
  /** Changes an answer on its way. */
  tamper: (answer: string, step: string) => string
}

/** An agent that answers about one file. */
async function hostOf(path: string, wire: Wire): Promise<AskHost & Disposable> {
  const reading = await readInProcess(path)
  const result = { content: { tables: reading.content }, ...diagnose(reading, context), coverage: reading.coverage }
  const reader = openInProcess(path)
  const side = new ComparedSide(reader, monotonicMs() + 60_000)
  return {
    async ask(sent) {
      const { step } = sent as SentQuestion
      const asked = JSON.stringify(sent)
      const question = rowQuestion.parse(JSON.parse(asked))
      const answer =
        question.step === 'open'
          ? await describeFile(side, result)
          : !isAboutRows(question)
            ? { files: [{ path }] }
            : await answerOf(side, question, 500_000_000)
      const answered = wire.tamper(JSON.stringify(answer), step)
      wire.texts.push(asked, answered)
      const given: unknown = JSON.parse(answered)
      const failure = rowFailure.safeParse(given)
      const read = rowAnswers[step as keyof typeof rowAnswers].safeParse(given)
      if (failure.success || !read.success) throw new Failure('READ_FAILED', failure.data?.failed ?? 'no answer')
      return read.data as never
    },
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  }
}

async function byKey(a: string, b: string, tamper: Wire['tamper'] = (answer) => answer) {
  const wire: Wire = { texts: [], tamper }
  using hostA = await hostOf(a, wire)
  using hostB = await hostOf(b, wire)
  const copy = (label: string, host: AskHost): AskedCopy => ({ label, file: 0, host, failure: null })
  const [pair] = await compareByKey([copy('alpha', hostA), copy('beta', hostB)])
  if (pair === undefined) throw new Error('no pair')
  return { pair, texts: wire.texts }
}

const withoutWhy = (table: TableComparison): object => ({ ...table, why: null, partOf: null })

test('two equal copies: no table differs', async () => {
  const a = make(fill)
  const { pair } = await byKey(a, changed(a, 'VACUUM'))
  expect(pair).toEqual({ a: 'alpha', b: 'beta', tables: [], why: null })
})

test.each([
  ['INTEGER PRIMARY KEY', "UPDATE named SET w = 'x' WHERE id IN (10, 20); DELETE FROM named WHERE id = 600", 'named'],
  ['WITHOUT ROWID', "UPDATE keyed SET c = 'x' WHERE b = 7; DELETE FROM keyed WHERE b = 9", 'keyed'],
  ['no key', "DELETE FROM loose WHERE rowid = 1; UPDATE loose SET w = 'x' WHERE rowid = 10", 'loose'],
])('the same rows differ as side by side: %s', async (_, change, name) => {
  const a = make(fill)
  const b = changed(a, change)
  const { pair } = await byKey(a, b)
  const beside = tableOf(await compareInProcess(a, b), name)
  expect(pair.tables.map(withoutWhy)).toEqual([withoutWhy(beside)])
  expect(pair.tables[0]?.differing?.rows).toBeGreaterThan(0)
})

test('more rows than one pass takes: only unequal buckets cross the network, and the numbers are exact', async () => {
  const many = rowsEachPass + 5000
  const a = make((db) => {
    db.exec('CREATE TABLE big(id INTEGER PRIMARY KEY, v TEXT)')
    db.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${many})
       INSERT INTO big SELECT i, 'value ' || i FROM n`,
    )
  })
  const { pair, texts } = await byKey(a, changed(a, "UPDATE big SET v = 'secret of row 777' WHERE id = 777"))
  expect(pair.tables[0]?.differing).toMatchObject({ rows: 1, exact: true, different: { total: 1, keys: [777] } })
  const bytes = texts.reduce((sum, text) => sum + text.length, 0)
  expect(bytes).toBeLessThan(250_000)
  expect(texts.join('').includes('secret')).toBe(false)
})

describe('an answer that is none is never taken for equal', () => {
  test.each(['open', 'begin', 'rows', 'first'])('%s', async (wanted) => {
    const a = make(fill)
    const b = changed(a, 'DELETE FROM named WHERE id = 600')
    for (const wrong of ['{}', '{"failed":"the disk is gone"}', 'null', '[]']) {
      const { pair } = await byKey(a, b, (answer, step) => (step === wanted ? wrong : answer))
      if (wanted === 'open') expect([pair.tables, pair.why]).toEqual([[], expect.any(String)])
      else
        expect(pair.tables[0]).toMatchObject({
          name: 'named',
          comparison: 'differs',
          differing: null,
          why: expect.any(String) as string,
        })
    }
  })

  test('columns of different lengths, and more rows than were asked for', async () => {
    const a = make(fill)
    const b = changed(a, 'DELETE FROM named WHERE id = 600')
    for (const change of [{ keyLow: '' }, { count: 1 }, { count: rowsEachPass + 1 }, { keyHigh: 'AAA' }]) {
      const { pair } = await byKey(a, b, (answer, step) =>
        step === 'rows' ? JSON.stringify({ ...(JSON.parse(answer) as object), ...change }) : answer,
      )
      expect(pair.tables[0]).toMatchObject({ differing: null, why: expect.any(String) as string })
    }
  })
})

test('a copy whose agent does not answer is named', async () => {
  const host: AskHost = {
    ask: () => Promise.reject(new Failure('READ_FAILED', 'the agent of beta gave no answer within 900 s')),
  }
  const failure = new Failure('READ_FAILED', 'the agent of beta gave no answer within 900 s')
  const [pair] = await compareByKey([
    { label: 'alpha', file: 0, host, failure: null },
    { label: 'beta', file: null, host, failure },
  ])
  expect(pair).toEqual({ a: 'alpha', b: 'beta', tables: [], why: failure.message })
})

test('questions that are none are refused', () => {
  for (const question of [
    {},
    { step: 'recover', keep: false },
    { step: 'open', file: -1 },
    { step: 'rows', wanted: 'A'.repeat(10_000) },
    { step: 'name', onlyHere: 'AA==', different: '' },
    { step: 'begin', tree: 1.5, identity: 'key', asUtf8: false, key: [0, 0] },
  ])
    expect([question, rowQuestion.safeParse(question).success]).toEqual([question, false])
})

test('texts of two encodings are not compared', async () => {
  const tables = (encoding: string) => (db: Parameters<Parameters<typeof make>[0]>[0]) => {
    db.exec(
      `PRAGMA encoding = '${encoding}'; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a')`,
    )
  }
  const { pair } = await byKey(make(tables('UTF-8')), make(tables('UTF-16le')))
  expect([pair.tables, pair.why]).toEqual([[], 'the texts of alpha are UTF-8, those of beta UTF-16le'])
})

test('each other copy is compared with the first', async () => {
  const host: AskHost = { ask: () => Promise.reject(new Failure('READ_FAILED', 'no answer')) }
  const copies = ['alpha', 'beta', 'gamma'].map((label) => ({ label, file: 0, host, failure: null }))
  expect((await compareByKey(copies)).map(({ a, b }) => [a, b])).toEqual([
    ['alpha', 'beta'],
    ['alpha', 'gamma'],
  ])
})

test('if nobody asks any more, no tenant is paused for the answer', async () => {
  const untouched = { context: null, ledger: null, signal: null } as unknown as ServiceRun
  const answers: object[] = []
  for (const last of [null, { step: 'end' } as const])
    await serveRows(untouched, {
      tenant: tenantId('acme'),
      onResult: (result) => answers.push(result),
      nextQuestion: () => Promise.resolve(last),
      answer: (answer) => answers.push(answer),
    })
  expect(answers).toEqual([])
})

test('more hosts than five are not asked', async () => {
  const copies = [1, 2, 3, 4, 5, 6].map((at) => ({
    label: `h${at}`,
    host: `h${at}`,
    service: 'notes',
    path: '/p',
    verdict: null,
    digestsOf: null,
    doubt: null,
  }))
  const files = [
    { name: 'p', copies, comparison: 'equal', schema: 'equal', apartMs: 0, tables: [], why: null } as const,
  ]
  const asked = { files, tenant: tenantId('acme'), onNotice: () => undefined, signal: new AbortController().signal }
  const nothing = { database: null as never, fleet: null as never }
  await expect(askAgents({ ...asked, ...nothing })).rejects.toMatchObject({ code: 'USAGE' })
})
