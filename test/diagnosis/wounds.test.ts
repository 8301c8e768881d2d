/** Real wounds, read by real SQLite and the page accounting: what diagnosis makes of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { engines } from '../../src/model/result/reading.ts'
import { EditableDatabase } from '../support/databases/surgeon.ts'
import { createVariedDatabase, wounds } from '../support/databases/wounds.ts'
import { context } from '../support/diagnosis.ts'
import { readInProcess } from '../support/read-in-process.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-diagnosis-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/**
 * What must come of a wound where it is told apart; the others must be damaged, and not to be mended by rebuilding an
 * index.
 */
const told: Readonly<Record<string, readonly [damage: string, remedy: string, indexes: readonly string[]]>> = {
  'index entry removed': ['index', 'rebuild', ['events_kind']],
  'value of an index entry changed': ['index', 'rebuild', ['events_kind']],
  'index entries out of order': ['index', 'rebuild', ['events_note']],
  'index page zeroed': ['index', 'rebuild', ['events_at']],
  'table row dropped': ['table', 'ask', []],
  'table page zeroed': ['table', 'ask', []],
  'free list count too high': ['structure', 'rebuild', []],
  'pointer map with a wrong parent': ['structure', 'rebuild', []],
  'unused page': ['structure', 'rebuild', []],
  'file truncated': ['file', 'ask', []],
  'schema row garbled': ['schema', 'ask', []],
}

/** Where SQLite cannot tell an entry out of order from a table that holds a key twice. */
const toldBySqlite: typeof told = { ...told, 'index entries out of order': ['table', 'ask', []] }

test('the wounds that are told apart exist', () => {
  expect(Object.keys(told).filter((name) => !wounds.some((wound) => wound.name === name))).toEqual([])
})

test('I1.7 a healthy file is sound', async () => {
  const path = join(folder, 'healthy.db')
  createVariedDatabase(path, 1024, false)
  expect(diagnose(await readInProcess(path), context)).toMatchObject({
    verdict: { kind: 'sound' },
    damage: 'none',
    findings: [],
  })
})

test.each(engines.flatMap((engine) => wounds.map((wound) => [engine, wound.name, wound] as const)))(
  'I1.7 engine %s, %s',
  async (engine, name, wound) => {
    const path = join(folder, 'varied.db')
    rmSync(path, { force: true })
    createVariedDatabase(path, 1024, wound.only === 'auto-vacuum')
    {
      using database = new EditableDatabase(path)
      wound.make(database)
    }
    const diagnosis = diagnose(await readInProcess(path, 'full', engine), context)
    expect(diagnosis.verdict.kind).toBe('damaged')
    const [damage, remedy, indexes] = (engine === 'census' ? told : toldBySqlite)[name] ?? [
      diagnosis.damage,
      diagnosis.remedy.do,
      [],
    ]
    expect({ damage: diagnosis.damage, remedy: diagnosis.remedy.do, indexes: diagnosis.remedy.indexes }).toEqual({
      damage,
      remedy,
      indexes,
    })
    expect(diagnosis.findings.every(({ text }) => text.length > 0)).toBe(true)
  },
)
