/**
 * How text is laid out for its reader: the width, the letters and the colours of a terminal, and nothing cut where a
 * program reads.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { makeDatabase, makeFolder, damageIndex } from '../../support/cli/folder.ts'
import { holdfast, launcher } from '../../support/cli/program.ts'
import { hasScript, linesOf, onTerminal } from '../../support/cli/pseudo-terminal.ts'

const beyondAscii = /[^\n -~]/u

describe.skipIf(!hasScript)('on a terminal (skipped without script(1))', () => {
  test.each([
    [40, 40, {}],
    [200, 200, {}],
    [132, 60, { COLUMNS: '60' }],
  ])('of %d columns lines have at most %d with %j, and a path is in one piece', async (columns, width, env) => {
    using folder = makeFolder()
    const path = folder.in(`${'a-long-name-'.repeat(18)}.db`)
    damageIndex(makeDatabase(path))
    const report = linesOf(await onTerminal(['check', '--quiet', path], { columns, env: { NO_COLOR: '1', ...env } }))
    expect(report.filter((line) => line.length > width && line !== path && !line.startsWith('    holdfast '))).toEqual(
      [],
    )
    expect(report).toContain(path)
    expect(
      Math.max(
        ...report
          .filter((line) => line.startsWith('  ') && !line.startsWith('    holdfast '))
          .map((line) => line.length),
      ),
    ).toBeGreaterThan(width * 0.7)
  })

  test('that is dumb no byte steers it, and with FORCE_COLOR there are colours but no cursor', async () => {
    using folder = makeFolder()
    const damaged = makeDatabase(folder.in('damaged.db'))
    damageIndex(damaged)
    expect(await onTerminal(['check', damaged], { columns: 80, env: { TERM: 'dumb' } })).not.toContain('\u001b')
    const forced = await onTerminal(['check', damaged], { columns: 80, env: { TERM: 'dumb', FORCE_COLOR: '1' } })
    expect(forced).toContain('\u001b[31m')
    // oxlint-disable-next-line no-control-regex
    expect(forced).not.toMatch(/\u001b\[(?![0-9;]*m)/)
  })

  test('failures are wrapped too', async () => {
    const shown = linesOf(
      await onTerminal(['check', '/nowhere/at/all', '--keep-snapshot', '/tmp/kept', '--snapshot'], {
        columns: 50,
        exitCode: 64,
      }),
    )
    expect(shown.filter((line) => line.length > 50)).toEqual([])
    expect(shown[0]).toMatch(/^holdfast: USAGE: /)
    expect(shown[1]).toMatch(/^ {2}\S/)
  })
})

test('colours can be forced on a pipe, and refused everywhere', async () => {
  using folder = makeFolder()
  const damaged = makeDatabase(folder.in('damaged.db'))
  damageIndex(damaged)
  const of = async (env: Readonly<Record<string, string>>): Promise<boolean> =>
    (await holdfast(['check', damaged], { env })).stdout.includes('\u001b[')
  expect([
    await of({ FORCE_COLOR: '1' }),
    await of({ FORCE_COLOR: '0' }),
    await of({ FORCE_COLOR: '1', NO_COLOR: '1' }),
  ]).toEqual([true, false, false])
})

test('COLUMNS is obeyed on a pipe, but for names: none is cut there', async () => {
  using folder = makeFolder()
  const path = folder.in(`${'a-long-name-'.repeat(12)}.db`)
  damageIndex(makeDatabase(path))
  const lines = (await holdfast(['check', path], { env: { COLUMNS: '50' } })).stdout.split('\n')
  expect(lines[1]?.startsWith(`${path}  DAMAGED`)).toBe(true)
  expect(
    lines.slice(2).filter((line) => line.length > 50 && line !== path && !line.startsWith('    holdfast ')),
  ).toEqual([])
})

describe('in a locale that is not UTF-8', () => {
  test.each(['C', 'POSIX', ''])(
    'LC_ALL=%s: reports, maps and holders are plain ASCII, and the commands in them do what they say',
    async (LC_ALL) => {
      using folder = makeFolder()
      const path = folder.in('文書 caf\u00e9 e\u0301.db')
      damageIndex(makeDatabase(path))
      const { code, stdout, stderr } = await holdfast(['check', '--map', path], { env: { LC_ALL } })
      expect([code, stderr, beyondAscii.exec(stdout)?.[0]]).toEqual([2, '', undefined])
      expect(stdout).toContain('\\u{6587}\\u{66f8} caf\\u{e9} e\\u{301}.db')
      const command = /^ {4}holdfast (repair .*) --apply$/m.exec(stdout)?.[1] ?? ''
      const ran = execFileSync('bash', ['-c', `'${process.execPath}' '${launcher}' ${command} --json; true`], {
        cwd: folder.path,
        env: { LC_ALL },
      }).toString('utf8')
      expect((JSON.parse(ran) as { results: readonly { path: string }[] }).results[0]?.path).toBe(path)
      const open = new Database(path)
      const held = await holdfast(['holders', path], { env: { LC_ALL } })
      open.close()
      expect([held.code, beyondAscii.exec(held.stdout)?.[0]]).toEqual([75, undefined])
    },
  )

  test.skipIf(!hasScript)('the live line is plain ASCII too (skipped without script(1))', async () => {
    using folder = makeFolder()
    for (let i = 0; i < 8; i++) makeDatabase(folder.in(`文書-${i}.db`), { rows: 20_000 })
    const shown = await onTerminal(['check', folder.path, '--workers', '1'], {
      columns: 80,
      exitCode: 0,
      env: { LC_ALL: 'C' },
    })
    expect(shown).toContain('starting')
    expect(beyondAscii.exec(linesOf(shown).join('\n').replaceAll('\r', ''))?.[0]).toBeUndefined()
  })

  test('so are all helps, explanations and failures', async () => {
    const env = { LC_ALL: 'C' }
    const commands = [
      'check',
      'compare',
      'doctor',
      'explain',
      'history',
      'holders',
      'pull',
      'resume',
      'status',
      'sweep',
    ].map((name) => [name, '--help'])
    const topics = ['IN_USE', 'sealed', 'entry-differs-from-row', 'freelist-broken', 'ADMIN_UNREACHABLE'].map(
      (topic) => ['explain', topic],
    )
    const failing = [
      ['check', '文書.db'],
      ['check', '--文書'],
      ['explain', '文書'],
      ['文書'],
      ['check', '--config', '文書', 'x.db'],
    ]
    const said = await Promise.all([...commands, ...topics, ...failing].map((args) => holdfast(args, { env })))
    expect(said.map(({ stdout, stderr }) => beyondAscii.exec(stdout + stderr)?.[0])).toEqual(said.map(() => undefined))
    expect(said.every(({ stdout, stderr }) => stdout + stderr !== '')).toBe(true)
  })
})

describe('which process has a file', () => {
  const once = (text: string): number => text.match(new RegExp(`process ${process.pid} `, 'g'))?.length ?? 0

  test.each([
    ['wal', 'a read lock'],
    ['delete', 'a write lock'],
  ])('LOCK_BUSY in mode %s names the process once, with the file', async (mode, lock) => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('used.db'), { wal: mode === 'wal' })
    const user = new Database(path)
    user.exec('BEGIN IMMEDIATE; INSERT INTO notes(title) VALUES (1)')
    const { code, stdout } = await holdfast(['check', path])
    const listed = await holdfast(['holders', path])
    user.close()
    expect(code).toBe(75)
    expect(stdout).toMatch(new RegExp(`LOCK_BUSY: process ${process.pid} \\(\\S.*\\) holds ${lock} on ${path}$`, 'm'))
    expect([once(stdout), stdout.includes('held by')]).toEqual([1, false])
    expect(listed.stdout.split('\n').filter((line) => line.includes(` ${process.pid} `))).toHaveLength(1)
  })

  test('IN_USE names it once, with all its files of the set', async () => {
    using folder = makeFolder()
    const path = makeDatabase(folder.in('used.db'))
    const opened = [openSync(path, 'r'), openSync(path, 'r+')]
    const { code, stdout } = await holdfast(['check', path])
    for (const descriptor of opened) closeSync(descriptor)
    expect(code).toBe(75)
    expect(stdout).toMatch(
      new RegExp(
        `IN_USE: another program has ${path} open or mapped: ` +
          `process ${process.pid} \\(.*\\) has used\\.db \\(read, write\\)`,
      ),
    )
    expect([once(stdout), stdout.includes('held by')]).toEqual([1, false])
  })
})

test('a name of a million letters is cut in the text and whole in JSON', async () => {
  using folder = makeFolder()
  const path = folder.in('odd.db')
  const [table, column] = ['t'.repeat(400_000), 'c d '.repeat(100_000)]
  const database = new Database(path)
  database.exec(
    `CREATE TABLE "${table}"(id INTEGER PRIMARY KEY, "${column}" TEXT); CREATE INDEX ix ON "${table}"("${column}")`,
  )
  database.exec(`INSERT INTO "${table}" VALUES (1, 'a'), (2, 'b'), (3, 'c')`)
  database.unsafeMode(true)
  database.pragma('writable_schema=ON')
  database.exec(`UPDATE sqlite_schema SET sql = sql || ' WHERE id > 1' WHERE name = 'ix'`)
  database.close()
  const partial = new Database(path)
  partial.exec('REINDEX ix')
  partial.unsafeMode(true)
  partial.pragma('writable_schema=ON')
  partial.exec(`UPDATE sqlite_schema SET sql = replace(sql, ' WHERE id > 1', '') WHERE name = 'ix'`)
  partial.close()
  for (const flags of [[], ['--verbose'], ['--map']]) {
    const { code, stdout } = await holdfast(['check', ...flags, path])
    expect([code, stdout.length < 40_000], stdout.slice(0, 500)).toEqual([2, true])
    expect(stdout).toContain('\u2026')
  }
  expect((await holdfast(['check', '--json', path])).stdout).toContain(table)
})
