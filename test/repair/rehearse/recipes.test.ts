/** Every kind of database is rebuilt and rewritten: both engines find the result sound, and every row is as it was. */
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { recipes } from '../../support/databases/recipes.ts'
import { differencesOf, examine } from '../../support/remedies/contents.ts'
import { bySql, dropFrom, zeroLeaf, type WoundFile } from '../../support/remedies/object-wounds.ts'
import { useRehearsals } from '../../support/remedies/rehearsal-fixture.ts'

const place = useRehearsals()
const indexesMax = 6

/** Indexes with a root of their own: also automatic ones, partial ones and those of shadow tables. */
function indexesOf(path: string): readonly string[] {
  const db = new Database(path, { readonly: true })
  try {
    return db
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY rowid")
      .pluck()
      .all()
      .slice(0, indexesMax)
  } finally {
    db.close()
  }
}

/** @returns the indexes that could be wounded: an empty one has nothing to lose */
function woundAll(path: string, names: readonly string[], wound: (name: string) => WoundFile): readonly string[] {
  return names.filter((name) => {
    try {
      wound(name)(path)
      return true
    } catch (error) {
      if (error instanceof Error && /no leaf without freeblocks|freeblocks/.test(error.message)) return false
      throw error
    }
  })
}

const wounds = { 'lost entries': dropFrom, 'pages of zeroes': zeroLeaf } as const

test.each(
  recipes.flatMap(({ name, build }) => Object.entries(wounds).map(([wound, make]) => ({ name, wound, build, make }))),
)('$name: indexes with $wound are rebuilt', async ({ build, make }) => {
  const { path } = place
  build(path, 1024)
  const before = examine(path)
  expect(before.integrity).toEqual([])
  const wounded = woundAll(path, indexesOf(path), make)
  const { contents, integrity, rehearsed } = await place.mend({ do: 'rebuild', indexes: wounded, fts: [] })
  expect([integrity, differencesOf(before.contents, contents)]).toEqual([[], []])
  expect(rehearsed.rehearsal).toMatchObject({ verdict: 'sound', contentSame: true })
  expect(place.leftovers()).toEqual([])
})

test.each(recipes)('$name: the file is rewritten', async ({ build }) => {
  const { path } = place
  build(path, 1024)
  const before = examine(path).contents
  const { contents, integrity } = await place.mend({ do: 'rewrite' })
  expect([integrity, differencesOf(before, contents)]).toEqual([[], []])
})

const texts: Readonly<Record<string, Readonly<Record<string, WoundFile>>>> = {
  fts5: {
    'lost segments': bySql('DELETE FROM notes_data WHERE id > 10'),
    'a garbled structure': bySql("UPDATE notes_data SET block = x'ffffffffff' WHERE id = 10"),
  },
  'fts4 and fts3': {
    'lost segments': bySql('DELETE FROM old_segdir; DELETE FROM older_segdir'),
    'garbled segments': bySql("UPDATE old_segdir SET root = x'00ff'"),
  },
}

test.each(
  Object.entries(texts).flatMap(([name, made]) => Object.entries(made).map(([wound, make]) => ({ name, wound, make }))),
)('$name: full-text indexes with $wound are rebuilt from their text', async ({ name, make }) => {
  const { path } = place
  recipes.find((recipe) => recipe.name === name)?.build(path, 1024)
  const fts = name === 'fts5' ? ['notes'] : ['old', 'older']
  const before = examine(path).contents
  make(path)
  const { contents, integrity, rehearsed } = await place.mend({ do: 'rebuild', indexes: [], fts })
  const derived = /_(?:data|idx|docsize|segments|segdir|stat)$/
  const found = differencesOf(before, contents).filter(
    (line) => !derived.test(line.split(' of ')[1]?.split(':')[0] ?? ''),
  )
  expect([integrity, found]).toEqual([[], []])
  expect(rehearsed).toMatchObject({ texts: fts.map((one) => ({ name: one, source: `${one}_content` })) })
})
