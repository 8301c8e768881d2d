/** The order of the steps of a check: for one reader, for several, and with the child that answers them itself. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeEach, expect, test } from 'vitest'
import type { Reader, QuestionOf, ReaderStep } from '../../src/check/protocol.ts'
import { readSnapshot } from '../../src/check/read-snapshot.ts'
import type { ReadingLimits } from '../../src/check/reading-builder.ts'
import { openInProcess } from '../support/compare-in-process.ts'
import { create } from '../support/databases/create-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'check-steps-'))
afterAll(() => rmSync(folder, { recursive: true }))
const path = join(folder, 'made.db')
beforeEach(() => {
  rmSync(path, { force: true })
  create(path, 1024, (db) =>
    db.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE INDEX i ON t(v); INSERT INTO t VALUES(1, 1), (2, 2)'),
  )
})

const limits = (depth: 'quick' | 'full', engine: 'census' | 'sqlite'): ReadingLimits => ({
  depth,
  engine,
  sample: null,
  map: false,
  digesting: { kind: 'none' },
  showValues: false,
  timeoutMs: 30_000,
  memoryBytesMax: 1e9,
  onProgress: () => {},
})

/** A reader that notes each question, and the steps that it answered by itself. */
function recordQuestions(reader: Reader): {
  readonly reader: Reader
  readonly asked: string[]
  readonly alone: string[]
} {
  const asked: string[] = []
  const alone: string[] = []
  return {
    asked,
    alone,
    reader: {
      async ask<S extends ReaderStep>(question: QuestionOf<S>, timeoutMs: number) {
        asked.push(question.step)
        const answer = await reader.ask<S>(question, timeoutMs)
        if ('answers' in answer) alone.push(...answer.answers.map(({ step }) => step))
        return answer
      },
    },
  }
}

async function askOne(depth: 'quick' | 'full', engine: 'census' | 'sqlite'): Promise<readonly (readonly string[])[]> {
  using file = openInProcess(path)
  const { reader, asked, alone } = recordQuestions(file)
  await readSnapshot(
    { sqliteVersion: '', walls: [], pages: reader, sqlite: reader, helpers: [] },
    limits(depth, engine),
  )
  return [asked, alone]
}

const census = ['plan', 'scan', 'compare', 'integrity', 'foreignKeys']
test.each([
  ['full', 'census', census],
  ['full', 'sqlite', ['integrity', 'foreignKeys', 'countRows']],
  ['quick', 'census', ['integrity']],
  ['quick', 'sqlite', ['integrity']],
] as const)(
  'the child of a small sound snapshot answers all steps on one question: %s, %s',
  async (depth, engine, steps) => {
    expect(await askOne(depth, engine)).toEqual([
      ['allSteps'],
      ['inspect', 'recover', 'account', 'schema', ...steps, 'finish'],
    ])
  },
)

test('it stops at the first answer that reports something, and the parent asks for the steps after it', async () => {
  const db = new Database(path)
  db.unsafeMode(true)
  db.exec("PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON t(v DESC)' WHERE name = 'i'")
  db.close()
  expect(await askOne('full', 'census')).toEqual([
    ['allSteps', 'integrity', 'foreignKeys', 'finish'],
    ['inspect', 'recover', 'account', 'schema', 'plan', 'scan', 'compare'],
  ])
})

test('several readers: one asks SQLite, the others count pages, and the sums are compared last', async () => {
  using a = openInProcess(path)
  using b = openInProcess(path)
  using c = openInProcess(path)
  const [pages, sqlite, helper] = [recordQuestions(a), recordQuestions(b), recordQuestions(c)]
  await readSnapshot(
    { sqliteVersion: '', walls: [], pages: pages.reader, sqlite: sqlite.reader, helpers: [helper.reader] },
    limits('full', 'census'),
  )
  expect(sqlite.asked).toEqual(['inspect', 'recover', 'schema', 'integrity', 'foreignKeys', 'compare'])
  expect(pages.asked.filter((step) => step !== 'scan')).toEqual(['account', 'plan', 'tally', 'finish'])
  expect(helper.asked.filter((step) => step !== 'scan')).toEqual(['plan', 'tally'])
})
