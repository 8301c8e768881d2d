/** What shows that nothing wrote to a file, and what is reported of bytes that changed nevertheless. */
import { describe, expect, test } from 'vitest'
import { diagnose } from '../../src/diagnosis/diagnose.ts'
import { silentChange, writeTraceSince } from '../../src/diagnosis/silent-change.ts'
import type { Finding } from '../../src/model/result/finding.ts'
import type { ChangedPages, HeaderMarks, LastGood, LiveSetState } from '../../src/model/result/last-good.ts'
import type { Reading } from '../../src/model/result/reading.ts'
import { context, reading } from '../support/diagnosis.ts'
import { pattern } from '../support/pattern.ts'

type File = LiveSetState['files'][number]
const database: File = { part: '', dev: '64768', ino: '131074', size: 409_600, mtimeNs: '1795000000123456789' }
const wal: File = { part: '-wal', dev: '64768', ino: '131075', size: 4152, mtimeNs: '1795000000123456789' }
const provenAt = 1_795_000_400_000
const standing: LiveSetState = { provenAt, bootId: 'one', files: [database] }
const later: LiveSetState = { ...standing, provenAt: provenAt + 86_400_000 }
const marks: HeaderMarks = { walMode: false, changeCounter: 42, versionValidFor: 42, pageCount: 100, schemaCookie: 3 }
const walMarks: HeaderMarks = { ...marks, walMode: true }
const written = '1795050000000000000'

describe('what shows that nothing wrote', () => {
  test.each<
    [
      string,
      'untouched' | 'uncounted' | 'written',
      { once?: Partial<LiveSetState>; now?: Partial<LiveSetState>; before?: HeaderMarks; after?: HeaderMarks },
    ]
  >([
    ['all is as it was', 'untouched', {}],
    ['all is as it was, in WAL mode', 'untouched', { before: walMarks, after: walMarks }],
    [
      'the same WAL with something in it',
      'untouched',
      { once: { files: [database, wal] }, now: { files: [database, wal] }, before: walMarks, after: walMarks },
    ],
    ['the machine was restarted, and the counter counts', 'untouched', { now: { bootId: 'two' } }],
    ['a system without boot ids, and the counter counts', 'untouched', { once: { bootId: '' }, now: { bootId: '' } }],
    [
      'the file system saw a write that the counter does not know',
      'uncounted',
      { now: { files: [{ ...database, mtimeNs: written }] } },
    ],

    [
      'the machine was restarted in WAL mode: a power cut may keep data and lose the time',
      'written',
      { now: { bootId: 'two' }, before: walMarks, after: walMarks },
    ],
    [
      'it is not known whether the machine was restarted, in WAL mode',
      'written',
      { once: { bootId: '' }, now: { bootId: '' }, before: walMarks, after: walMarks },
    ],
    [
      'the machine was restarted, and the counter moved',
      'written',
      { now: { bootId: 'two' }, after: { ...marks, changeCounter: 43, versionValidFor: 43 } },
    ],
    [
      'a write in WAL mode, which the counter need not know',
      'written',
      { now: { files: [{ ...database, mtimeNs: written }] }, before: walMarks, after: walMarks },
    ],
    [
      'a write, and from WAL mode to a rollback journal',
      'written',
      { now: { files: [{ ...database, mtimeNs: written }] }, before: walMarks },
    ],
    [
      'a write, and the counter moved',
      'written',
      {
        now: { files: [{ ...database, mtimeNs: written }] },
        after: { ...marks, changeCounter: 43, versionValidFor: 43 },
      },
    ],
    [
      'a write, and another schema',
      'written',
      { now: { files: [{ ...database, mtimeNs: written }] }, after: { ...marks, schemaCookie: 4 } },
    ],
    [
      'a write, and an old SQLite that did not say which',
      'written',
      { now: { files: [{ ...database, mtimeNs: written }] }, after: { ...marks, versionValidFor: 41 } },
    ],
    ['another file under the name', 'written', { now: { files: [{ ...database, ino: '999' }] } }],
    ['another device', 'written', { now: { files: [{ ...database, dev: '999' }] } }],
    ['another size', 'written', { now: { files: [{ ...database, size: 413_696 }] } }],
    ['a WAL came', 'written', { now: { files: [database, wal] }, before: walMarks, after: walMarks }],
    ['a WAL went', 'written', { once: { files: [database, wal] }, before: walMarks, after: walMarks }],
    [
      'frames were added to the WAL',
      'written',
      {
        once: { files: [database, wal] },
        now: { files: [database, { ...wal, size: 8272, mtimeNs: written }] },
        before: walMarks,
        after: walMarks,
      },
    ],
    [
      'the WAL was written over',
      'written',
      {
        once: { files: [database, wal] },
        now: { files: [database, { ...wal, mtimeNs: written }] },
        before: walMarks,
        after: walMarks,
      },
    ],
    ['a journal came', 'written', { now: { files: [database, { ...wal, part: '-journal' }] } }],
    [
      'written within a tick before the proof: a write right after it could bear the same time',
      'written',
      { once: { provenAt: 1_795_000_000_124 } },
    ],
  ])('%s: %s', (_, since, { once = {}, now = {}, before = marks, after = marks }) => {
    expect(writeTraceSince({ standing: { ...standing, ...once }, header: before }, { ...later, ...now }, after)).toBe(
      since,
    )
  })
})

const earlier: LastGood = {
  schema: null,
  basis: null,
  paces: [],
  tenant: context.tenant,
  path: context.path,
  run: '01RUN',
  standing,
  header: marks,
  content: {
    format: 'f',
    tables: [
      { name: 'events', rows: 5, digest: 'aa' },
      { name: 'users', rows: 3, digest: 'bb' },
    ],
  },
  pages: { format: 1, pageSize: 4096, pages: 100, groupPages: 1, groups: new Uint32Array(100) },
}
const onePage: ChangedPages = { runs: [[40, 40]], pages: 1, groupPages: 1, owners: [2] }

function changeOf(
  changed: ChangedPages | null,
  {
    tables = earlier.content.tables,
    format = 'f',
    at = later,
    header = marks,
  }: { tables?: LastGood['content']['tables']; format?: string; at?: LiveSetState; header?: HeaderMarks } = {},
): Finding | null {
  return silentChange(earlier, { standing: at, content: { format, tables } }, readingOf(changed, header))
}
const readingOf = (changed: ChangedPages | null, header = marks): Reading =>
  reading([], { pages: { kind: 'digested', header, digests: earlier.pages, changed } })
const rottenEvents = [
  { name: 'events', rows: 5, digest: 'ff' },
  { name: 'users', rows: 3, digest: 'bb' },
]

describe('the finding', () => {
  test('rows that are others are damage of their table, with the page, the run and its time', () => {
    const finding = changeOf(onePage, { tables: rottenEvents })
    expect(finding).toMatchObject({
      rule: 'content-changed-silently',
      severity: 'damage',
      source: 'ledger',
      object: { kind: 'table', name: 'events' },
      page: 40,
      total: 1,
    })
    expect(finding?.text).toBe(
      'page 40 (table events) has changed since the last sound check (2026-11-18T11:13:20.000Z, run ' +
        '01RUN), although nothing has written to the file since: rows of events changed',
    )
  })

  test('its verdict: class table, cause bit rot, and a person decides', () => {
    const finding = changeOf(onePage, { tables: rottenEvents })
    const { verdict, damage, causes, remedy } = diagnose(
      { ...readingOf(onePage), facts: [{ kind: 'found', finding: finding as Finding }] },
      context,
    )
    expect([verdict.kind, damage, causes.map(({ hint }) => hint), remedy.do, remedy.indexes]).toEqual([
      'damaged',
      'table',
      ['bit-rot'],
      'ask',
      [],
    ])
    expect(remedy.why).toMatch(/suspect the disk/)
  })

  test(
    'bytes where nothing is stored are a notice; of the schema, of tables that are ' +
      'not counted and of other digests it is not known, so it is damage',
    () => {
      expect(changeOf(onePage)).toMatchObject({
        severity: 'notice',
        text: expect.stringMatching(/no row and no index entry changed/) as string,
      })
      expect(changeOf({ ...onePage, owners: [3] })).toMatchObject({
        severity: 'notice',
        object: { kind: 'index', name: 'events_kind' },
      })
      expect(changeOf({ ...onePage, owners: [1] })).toMatchObject({
        severity: 'damage',
        object: { kind: 'schema' },
        text: expect.stringMatching(/is not known/) as string,
      })
      expect(changeOf({ ...onePage, owners: [7] })).toMatchObject({ severity: 'damage', object: { name: 'keyed' } })
      expect(changeOf(onePage, { format: 'g', tables: rottenEvents })).toMatchObject({
        severity: 'damage',
        text: expect.stringMatching(/is not known/) as string,
      })
      expect(
        diagnose(
          {
            ...readingOf(onePage),
            facts: [{ kind: 'found', finding: changeOf({ ...onePage, owners: [1] }) as Finding }],
          },
          context,
        ).damage,
      ).toBe('schema')
    },
  )

  test('a write that the counter does not know is a notice, whatever changed: the verdict stays sound', () => {
    const finding = changeOf(onePage, {
      tables: rottenEvents,
      at: { ...later, files: [{ ...database, mtimeNs: written }] },
    })
    expect(finding).toMatchObject({
      severity: 'notice',
      text: expect.stringMatching(
        /change counter of SQLite is still 42 \(a program wrote the file without SQLite, or/,
      ) as string,
    })
    expect(
      diagnose({ ...readingOf(onePage), facts: [{ kind: 'found', finding: finding as Finding }] }, context).verdict,
    ).toEqual({ kind: 'sound' })
  })

  test('many pages are listed as ranges, groups as groups, several owners by name', () => {
    const runs = Array.from({ length: 20 }, (_, i) => [10 * i + 1, 10 * i + 3] as const)
    const many = changeOf({ runs, pages: 99, groupPages: 3, owners: [0, 2, 3, 5] }, { tables: rottenEvents })
    expect(many).toMatchObject({ object: { kind: 'file' }, total: 99 })
    expect(many).not.toHaveProperty('page')
    expect(many?.text).toMatch(
      pattern(
        /^at least one of every 3 of pages 1-3, 11-13, .*191-193 and 39 more \(table events, index /,
        /events_kind of events, table users\) have changed since the last/,
      ),
    )
  })

  test('silence: nothing changed, nothing was digested, or a program wrote', () => {
    expect(changeOf(null)).toBeNull()
    expect(silentChange(earlier, { standing: later, content: earlier.content }, reading([]))).toBeNull()
    expect(
      changeOf(onePage, {
        header: { ...marks, changeCounter: 43 },
        at: { ...later, files: [{ ...database, mtimeNs: written }] },
      }),
    ).toBeNull()
  })
})
