/** What `init` writes: a configuration that the loader accepts, whatever the names on the machine are. */
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseSettings } from '../../../src/config/parse.ts'
import type { Settings } from '../../../src/config/settings.ts'
import type { OpenDatabase, OpenDatabases } from '../../../src/hold/live/open-databases.ts'
import { configurationText } from '../../../src/report/init/configuration-text.ts'
import { patternsFor } from '../../../src/report/init/file-patterns.ts'
import { pathPattern } from '../../../src/text/path-pattern.ts'
import { invisible } from '../../../src/text/shell-words.ts'

const terms = { version: '0.1.0', at: Date.UTC(2026, 0, 2), isRoot: true }
const database = (path: string, more: Partial<OpenDatabase> = {}): OpenDatabase => ({
  path,
  bytes: 12_000_000,
  walBytes: 0,
  journalMode: 'wal',
  programs: [{ pid: 7, command: 'vault', user: 'vault', unit: 'vault.service' }],
  ...more,
})
const textOf = (databases: readonly OpenDatabase[], more: Partial<OpenDatabases> = {}, isRoot = true): string =>
  configurationText({ databases, unusable: [], unseen: [], ...more }, { ...terms, isRoot })
const settingsOf = (text: string): Settings => parseSettings(text, '/etc/holdfast/holdfast.yaml')
const patternsIn = (text: string): readonly string[] => {
  const { service } = settingsOf(text)
  return service.kind === 'files' ? service.patterns : []
}
/** True if the pattern finds the path. */
function finds(text: string, path: string): boolean {
  const pattern = pathPattern(text)
  if ('refused' in pattern) return false
  const parts = path.slice(pattern.fixed.length + 1).split('/')
  return (
    path.startsWith(`${pattern.fixed}/`) &&
    parts.length === pattern.steps.length &&
    pattern.steps.every((step, at) => step.kind === 'name' && step.matches(parts[at] ?? ''))
  )
}

test('each database is named, with its program, user, unit, journal mode and size in a comment', () => {
  const text = textOf([
    database('/var/lib/vault/db.sqlite3', { walBytes: 4_000_000 }),
    database('/srv/budget/main.sqlite', {
      journalMode: 'rollback journal',
      programs: [{ pid: 9, command: 'node app.js', user: null, unit: null }],
    }),
  ])
  expect(patternsIn(text)).toEqual(['/srv/budget/main.sqlite', '/var/lib/vault/db.sqlite3'])
  expect(text).toContain(
    '    # vault (pid 7, user vault, vault.service): WAL mode, 12.0 MB, and a WAL of 4.0 MB\n' +
      '    - "/var/lib/vault/db.sqlite3"\n',
  )
  expect(text).toContain('    # node app.js (pid 9): rollback journal, 12.0 MB\n')
  expect(settingsOf(text).hold.require).toEqual([{ level: 'pinned', tenants: null }])
})

test('without root, history and copies have folders beside the configuration', () => {
  expect(settingsOf(textOf([], {}, false)).ledger.dir).toBe('/etc/holdfast/holdfast')
  expect(settingsOf(textOf([])).ledger.dir).toBe('/var/lib/holdfast')
})

test('a machine with nothing gets an example that is valid, and says that it is one', () => {
  const text = textOf([])
  expect(patternsIn(text)).toEqual(['/srv/app/**/*.sqlite'])
  expect(text).toContain('This is an example')
})

test('a database below a folder for temporary files is named in a comment only', () => {
  const text = textOf([database('/a/b.db'), database('/var/tmp/job/c.db'), database('/tmpfiles/d.db')])
  expect(patternsIn(text)).toEqual(['/a/b.db', '/tmpfiles/d.db'])
  expect(text).toContain('# left out: /var/tmp/job/c.db: vault (pid 7')
  expect(text).not.toMatch(/tenants: .*\/var\/tmp/)
  expect(patternsIn(textOf([database('/tmp/c.db')]))).toEqual(['/srv/app/**/*.sqlite'])
})

test('what was not named or not seen is said', () => {
  const text = textOf([database('/a/b.db')], {
    unusable: [{ path: '/mnt/x.db', why: 'it lies on nfs4, where locks are not known to work' }],
    unseen: ['the open files of 3 processes of other users'],
  })
  expect(text).toContain('    # not named: /mnt/x.db: it lies on nfs4, where locks are not known to work\n')
  expect(text).toContain('    # not seen: the open files of 3 processes of other users\n')
  settingsOf(text)
})

describe('the configuration in comments is valid, too', () => {
  /** The hooks without their comment marks, in the place of the section `service`. */
  const withHooks = (text: string): string =>
    text.slice(text.indexOf('\n# service:\n')).replaceAll(/^# /gm, '') + '\nhold: { require: pinned }\n'

  test.each([
    ['with the units that were found', [database('/var/lib/vault/db.sqlite3'), database('/var/lib/vault/b.db')]],
    ['with an example', []],
    ['with strange paths', [database('/srv/it\'s "a"\\b\n#/x.db')]],
  ])('%s', (_, databases) => {
    const { service, tenants } = settingsOf(withHooks(textOf(databases)))
    if (service.kind !== 'hooks') throw new Error(service.kind)
    expect(service.quiesce).toEqual(['systemctl', 'stop', '{tenant}.service'])
    const listed = JSON.parse(service.tenants[2] ?? '') as readonly { readonly id: string; readonly files: string[] }[]
    expect(listed.flatMap(({ files }) => files)).toEqual(
      databases.length === 0 ? ['/srv/app/data.sqlite'] : databases.map(({ path }) => path),
    )
    for (const { id, files } of listed) {
      expect(id).toMatch(/^(?:vault|app)$/)
      for (const file of files) expect(tenants.roots.some((root) => file.startsWith(`${root}/`))).toBe(true)
    }
  })

  test('each other line in a comment that looks like a key', () => {
    const text = textOf([database('/a/b.db')])
    const uncommented = text
      .slice(0, text.indexOf('\n# service:\n'))
      .replaceAll(/^# (ledger|snapshots|backups|alerts): /gm, '$1: ')
    const settings = settingsOf(uncommented)
    expect([settings.backups?.dir, settings.alerts.length]).toEqual(['/srv/backup/holdfast', 1])
  })

  test('a file of two units is not stopped with one of them', () => {
    const shared = [
      { pid: 1, command: 'a', user: 'a', unit: 'a.service' },
      { pid: 2, command: 'b', user: 'b', unit: 'b.service' },
    ]
    expect(textOf([database('/a/shared.db', { programs: shared })])).not.toMatch(/tenants: .*shared\.db/)
  })
})

describe('hostile names', () => {
  const names = [
    'a\nadmin: unix:/evil',
    'a\r\n- /etc/shadow',
    '*',
    '{x,y}',
    '[a-z]',
    'a\\b',
    'a"b',
    "a'b",
    '\u202egnp.db',
    'a # b',
    '\u{e0001}x',
    '\u001b[2J',
    '\u0085',
    '\u2028',
  ]

  test.each(names)('%j is one pattern that finds that path alone', (name) => {
    const path = `/srv/${name}/${name}`
    const programs = [{ pid: 7, command: name, user: name, unit: null }]
    const text = textOf([database(path, { programs })], { unusable: [{ path, why: name }], unseen: [name] })
    const patterns = patternsIn(text)
    expect(patterns).toHaveLength(1)
    expect(finds(patterns[0] ?? '', path)).toBe(true)
    expect(finds(patterns[0] ?? '', '/srv/other/other')).toBe(false)
    for (const line of text.split('\n')) expect(line).not.toMatch(invisible)
    expect(Object.keys(parse(text) as object)).toEqual(['service', 'hold'])
  })

  test('bytes that are not UTF-8 are matched by a question mark', () => {
    expect(patternsIn(textOf([database('/srv/caf\udce9.db')]))).toEqual(['/srv/caf?.db'])
  })

  test('the text has a bound', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => database(`/srv/${at}/x${at}`))
    const unusable = many.map(({ path }) => ({ path, why: 'x' }))
    const text = textOf(many, { unusable })
    expect(text.length).toBeLessThan(100_000)
    expect(text).toContain('9,800 patterns are left out here')
    settingsOf(text)
  })
})

describe('the patterns are few and narrow', () => {
  test.each([
    ['one file', ['/a/b/x.db'], ['/a/b/x.db']],
    ['several of one ending', ['/a/b/x.db', '/a/b/y.db', '/a/b/z.sqlite'], ['/a/b/*.db', '/a/b/z.sqlite']],
    ['no ending', ['/a/b/x', '/a/b/y'], ['/a/b/x', '/a/b/y']],
    ['one name in three folders', ['/a/u1/d.db', '/a/u2/d.db', '/a/u3/d.db'], ['/a/*/d.db']],
    ['one name in two folders', ['/a/u1/d.db', '/a/u2/d.db'], ['/a/u1/d.db', '/a/u2/d.db']],
    ['below the root of the machine', ['/a/d.db', '/b/d.db', '/c/d.db'], ['/a/d.db', '/b/d.db', '/c/d.db']],
  ])('%s', (_, paths, patterns) => {
    expect(patternsFor(paths.map((path) => database(path))).map(({ pattern }) => pattern)).toEqual(patterns)
  })
})
