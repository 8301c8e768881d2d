/** What a remedy says: what is rebuilt and from what, which doubt remains, and the command to type. */

import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { afterRehearsal } from '../../src/diagnosis/remedy.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { Fact } from '../../src/model/result/reading.ts'
import { context, message, messages, reading } from '../support/diagnosis.ts'

const say = (...texts: readonly string[]) => diagnose(reading(messages(...texts)), context)
const found = (finding: Extract<Fact, { kind: 'found' }>['finding']): Fact => ({ kind: 'found', finding })

describe('what is rebuilt', () => {
  test.each([
    ['ft', 'ft_content'],
    ['of_users', 'users'],
  ])('the full-text index %s is rebuilt from the text in %s', (name, source) => {
    const { damage, remedy } = say(`malformed inverted index for FTS5 table main.${name}`)
    expect([damage, remedy]).toMatchObject([
      'fts',
      { do: 'rebuild', indexes: [], fts: [{ name, source }], why: expect.stringContaining(`the text in ${source}`) },
    ])
    expect(remedy).not.toHaveProperty('rewrite')
  })

  test('a full-text index without any text is not rebuilt, alone or beside others', () => {
    for (const others of [[], ['malformed inverted index for FTS5 table main.ft']]) {
      const { damage, remedy } = say('malformed inverted index for FTS5 table main.bare_ft', ...others)
      expect([damage, remedy]).toMatchObject([
        'fts',
        { do: 'ask', indexes: [], why: expect.stringMatching(/^bare_ft stores no text, and names no table/) },
      ])
      expect(remedy).not.toHaveProperty('fts')
    }
  })

  test('an index and a full-text index are rebuilt together', () => {
    expect(
      say('row 3 missing from index events_kind', 'malformed inverted index for FTS5 table main.ft').remedy,
    ).toMatchObject({ do: 'rebuild', indexes: ['events_kind'], fts: [{ name: 'ft', source: 'ft_content' }] })
  })

  test('a second reference wholly inside the free list loses nothing: the file is rewritten', () => {
    expect(say('Freelist: 2nd reference to page 43', 'Page 9: never used')).toMatchObject({
      damage: 'structure',
      remedy: { do: 'rebuild', rewrite: true },
    })
    expect(say('Freelist: 2nd reference to page 40')).toMatchObject({ damage: 'table', remedy: { do: 'ask' } })
  })

  test('leaked pages that form a tree are shown to a person, with a verified backup too', () => {
    const tree = found({
      rule: 'tree-unowned',
      severity: 'damage',
      source: 'census',
      object: { kind: 'file', name: 'file', table: null },
      text: '3 of the pages that belong to nothing form a tree: 120 rows of 4 columns',
    })
    const facts = [tree, ...messages('Page 7: never used', 'Page 9: never used', 'Page 10: never used')]
    const backedUp = { ...context, verifiedBackup: true }
    for (const known of [context, backedUp]) {
      expect(diagnose(reading(facts), known)).toMatchObject({
        damage: 'schema',
        findings: [{ rule: 'tree-unowned' }, { rule: 'page-unowned' }],
        remedy: { do: 'ask', indexes: [], command: 'holdfast pull acme ./pulled' },
      })
    }
    expect(diagnose(reading([...facts, message('Tree 2 page 40: free space corruption')]), backedUp).remedy.do).toBe(
      'restore',
    )
  })

  test('where nothing breaks the tie between index and table, both readings are shown', () => {
    const of = (rule: 'row-missing-from-index' | 'entry-without-row' | 'entry-differs-from-row', total: number): Fact =>
      found({
        rule,
        severity: 'damage',
        source: 'census',
        object: { kind: 'index', name: 'users_mail', table: 'users' },
        rows: [1],
        total,
        text: 'text',
      })
    const whyOf = (facts: readonly Fact[]): readonly string[] =>
      diagnose(reading(facts), context).causes.map(({ hint, why }) => `${hint}: ${why}`)
    expect(whyOf([of('row-missing-from-index', 2), of('entry-without-row', 1)])).toEqual([
      'index-or-table: nothing shows whether the index users_mail or its table users is right. ' +
        'If the table is right: the index lacks 2 rows and has 1 entry without a row, and a rebuild mends it. ' +
        'If the index is right: the table has 2 rows too many and has lost 1 row, and a rebuild makes that permanent',
    ])
    expect(whyOf([of('entry-differs-from-row', 3)])[0]).toContain('the table has other values in 3 rows')
  })

  test('another index says nothing about the columns of an index whose entries have other values', () => {
    const differs = found({
      rule: 'entry-differs-from-row',
      severity: 'damage',
      source: 'census',
      object: { kind: 'index', name: 'events_kind', table: 'events' },
      rows: [1],
      total: 1,
      salvage: { columns: ['kind'], total: 1 },
      text: '1 entry of index events_kind differs from the row in events',
    })
    expect(diagnose(reading([differs]), context)).toMatchObject({
      damage: 'index',
      remedy: { do: 'rebuild', indexes: ['events_kind'] },
      causes: [{ hint: 'index-or-table' }],
      findings: [{ text: expect.stringContaining('the index still holds kind of 1 row') }],
    })
  })
})

describe('after the rehearsal', () => {
  const { remedy } = say('row 3 missing from index events_kind')

  test('a rebuild that was sound is offered with --apply', () => {
    expect(afterRehearsal(remedy, null, context)).toEqual({
      ...remedy,
      rehearsed: true,
      command: 'holdfast repair --tenant acme --apply',
    })
  })

  test('one that was not is replaced by a restore, or by a person, with the reason', () => {
    const refused = 'the copy holds a key twice'
    expect(afterRehearsal(remedy, refused, { ...context, verifiedBackup: true })).toMatchObject({
      do: 'restore',
      indexes: [],
      rehearsed: false,
      why: expect.stringContaining(`does not mend the file: ${refused};`),
      command: 'holdfast restore --tenant acme',
    })
    expect(afterRehearsal(remedy, refused, context)).toMatchObject({ do: 'ask', why: expect.stringContaining(refused) })
  })
})

test('commands pass exactly the id and the path, whatever they are called', () => {
  const damaged = [message('wrong # of entries in index users_mail')]
  const commandFor = (tenant: string | null, path = '/x') =>
    diagnose(reading(damaged), { ...context, tenant: tenant === null ? null : tenantId(tenant), path }).remedy.command
  expect(commandFor('-x')).toBe('holdfast repair --tenant=-x')
  expect(commandFor("it's; rm -rf /")).toBe(`holdfast repair --tenant 'it'\\''s; rm -rf /'`)
  expect(commandFor(null, '/a\nb')).toBe(`holdfast repair $'/a\\x0a'$'b'`)
  expect(commandFor(null, '-rf')).toBe('holdfast repair ./-rf')
})
