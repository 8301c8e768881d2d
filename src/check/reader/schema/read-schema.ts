/** Child side: opens a database with SQLite, and reads the schema: all of it, or the part that this SQLite accepts. */
import Database from 'better-sqlite3'
import type { Fact } from '../../../model/result/reading.ts'
import type { SchemaAnswer } from '../../step-answers.ts'
import { readLayout } from '../pages/page-file.ts'
import { openDatabase, thrownFact } from '../sqlite/open-database.ts'
import { SchemaCache } from './schema-cache.ts'
import type { SchemaReadResult } from './schema-cache.ts'
import { readSchemaRows } from './schema-objects.ts'
import { judgeRows } from './schema-refusals.ts'

interface ReadSchema {
  /** null if SQLite can be asked nothing. */
  readonly db: Database.Database | null
  readonly answer: SchemaAnswer
}

export function readSchema(path: string, schemas: SchemaCache): ReadSchema {
  try {
    return tryOpen(path, 'strict', (db) => answerOf(schemas.read(path, db), [], new Set()))
  } catch (error) {
    const thrown = thrownFact(error, 'reading the schema', null)
    return readInPart(path, thrown) ?? { db: null, answer: { ...nothing, facts: [thrown] } }
  }
}

/** Rows that SQLite refuses hide all the others. null if SQLite cannot read the rows at all. */
function readInPart(path: string, thrown: Fact): ReadSchema | null {
  const layout = readLayout(path)
  if (typeof layout === 'string') return null
  try {
    return tryOpen(path, 'tolerant', (db) => {
      const rows = readSchemaRows(db)
      const judged = judgeRows(rows, layout.filePages)
      const { refusals, refused } = judged ?? { refusals: [], refused: new Set<string>() }
      // With a cache of its own: what SQLite makes of a broken schema holds for no other file.
      return answerOf(
        new SchemaCache().readRows(path, db, rows, refused),
        refusals.length > 0 ? refusals : [thrown],
        refused,
      )
    })
  } catch (error) {
    thrownFact(error, 'reading the schema', null)
    return null
  }
}

/** @throws what SQLite throws; nothing is open then */
function tryOpen(path: string, mode: 'strict' | 'tolerant', read: (db: Database.Database) => SchemaAnswer): ReadSchema {
  const db = openDatabase(path, mode)
  try {
    return { db, answer: read(db) }
  } catch (error) {
    db.close()
    throw error
  }
}

function answerOf(
  { objects, plan, noPlanWhy, uncounted, leftOut, skipped, findings, digest }: SchemaReadResult,
  facts: readonly Fact[],
  refused: ReadonlySet<string>,
): SchemaAnswer {
  const unread = [...refused].map((object) => {
    const refusal = facts.find((fact) => fact.kind === 'refused' && fact.name === object)
    return {
      object,
      why:
        refusal?.kind === 'refused'
          ? `SQLite does not take its statement: ${refusal.why}`
          : 'SQLite does not take the statement of its table',
    }
  })
  return {
    opened: true,
    objects,
    plan,
    noPlanWhy,
    uncounted,
    refused: [...refused],
    digest: refused.size === 0 ? digest : null,
    skipped: [...leftOut, ...skipped, ...unread],
    facts: [...facts, ...findings.map((finding): Fact => ({ kind: 'found', finding }))],
  }
}

const nothing: Omit<SchemaAnswer, 'facts'> = {
  opened: false,
  objects: [],
  plan: null,
  noPlanWhy: null,
  uncounted: [],
  refused: [],
  digest: null,
  skipped: [{ object: 'sqlite_schema', why: 'SQLite cannot read the schema' }],
}
