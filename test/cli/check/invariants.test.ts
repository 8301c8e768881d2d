/** The application's own rules: what violates them is told, and is never corruption. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Report, Result } from '../../../src/model/result/report.ts'
import { damageIndex, fingerprintOf, makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { holdfast, reportOf, shortVerdict } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'

interface CheckOutput {
  readonly result: Result
  readonly code: number | null
  readonly text: string
}

/** @param rules the list as YAML */
async function checkWith(folder: Folder, rules: string, ...more: readonly string[]): Promise<CheckOutput> {
  const config = folder.in('holdfast.yaml')
  writeFileSync(
    config,
    `service: { name: notes, admin: "unix:${folder.in('none.sock')}" }\n` +
      `tenants: { roots: ["${folder.path}"] }\ncheck:\n  invariants: ${rules}\n`,
  )
  const args = ['check', folder.in('app.db'), '--config', config, ...more]
  const { stdout, code } = await holdfast([...args, '--json'])
  const { results } = JSON.parse(stdout) as Report
  const [result] = results
  if (result === undefined) throw new Error(`no result: ${stdout}`)
  return { result, code, text: (await holdfast(args)).stdout }
}

function folderWithFile(): Folder {
  const folder = makeFolder()
  makeDatabase(folder.in('app.db'), { rows: 200 })
  return folder
}

const script = (folder: Folder, name: string, ...lines: readonly string[]): string => {
  writeFileSync(folder.in(name), ['#!/bin/sh', ...lines, ''].join('\n'))
  chmodSync(folder.in(name), 0o755)
  return folder.in(name)
}
const told = ({ findings }: Result): readonly unknown[] =>
  findings.map(({ rule, severity, source, invariant }) => [rule, severity, source, invariant])
const violated = (name: string, severity = 'notice'): readonly unknown[] => [
  'invariant-violated',
  severity,
  'invariant',
  name,
]

describe('a rule in SQL', () => {
  test('that holds is no news', async () => {
    using folder = folderWithFile()
    const { result, code } = await checkWith(folder, '[{ name: ids, sql: "SELECT id FROM notes WHERE id < 0" }]')
    expect([shortVerdict(result), told(result), code]).toEqual(['sound', [], 0])
  })

  test.each([
    ['notice', 0, 'sound', 'notice', 'nothing'],
    ['inconclusive', 3, 'inconclusive', 'notice', 'nothing'],
    ['damage', 2, 'damaged none', 'damage', 'ask'],
  ])('with severity %s: exit code %i', async (severity, code, verdict, own, remedy) => {
    using folder = folderWithFile()
    const before = fingerprintOf(folder.path)
    const rules = `[{ name: few notes, sql: "SELECT id, title FROM notes WHERE id > 150", severity: ${severity} }]`
    const checked = await checkWith(folder, rules)
    const { result } = checked
    expect([checked.code, result.verdict, result.damage, result.remedy.do]).toEqual([
      code,
      verdict.split(' ')[0],
      'none',
      remedy,
    ])
    expect(told(result)).toEqual([violated('few notes', own)])
    const [finding] = result.findings
    expect(finding).toMatchObject({ total: 50, rows: Array.from({ length: 20 }, (_, i) => 151 + i) })
    expect(finding?.text).toBe('the rule "few notes" of the application does not hold: 50 rows violate it')
    // Keys only: no other column, and no word of corruption.
    expect(JSON.stringify(result)).not.toMatch(/title 15\d|corrupt/)
    expect(checked.text).not.toMatch(/title 15\d|corrupt/)
    expect(checked.text).toContain('few notes')
    expect({ ...fingerprintOf(folder.path), 'holdfast.yaml': '' }).toEqual({ ...before, 'holdfast.yaml': '' })
  })

  test('that is no single harmless SELECT is not judged, and changes no verdict', async () => {
    using folder = folderWithFile()
    const odd: readonly (readonly [string, RegExp])[] = [
      ['SELECT 1; SELECT 2', /more than one statement/],
      [' -- only a comment', /one SELECT/],
      ['DELETE FROM notes RETURNING id', /one SELECT/],
      ['WITH x AS (SELECT 1) DELETE FROM notes RETURNING id', /writes nothing/],
      ["ATTACH '/etc/passwd' AS p", /one SELECT/],
      ['PRAGMA journal_mode=DELETE', /one SELECT/],
      ['SELECT id FROM orders', /no such table: orders/],
      ["SELECT load_extension('/tmp/x.so')", /not authorized/],
      ["SELECT readfile('/etc/passwd')", /no such function/],
    ]
    const rules = odd.map(([statement], i) => ({ name: `odd ${i}`, sql: statement, severity: 'damage' }))
    const { result, code } = await checkWith(folder, JSON.stringify(rules))
    expect([shortVerdict(result), code]).toEqual(['sound', 0])
    expect(told(result)).toEqual(rules.map(({ name }) => ['invariant-unjudged', 'notice', 'invariant', name]))
    odd.forEach(([, why], i) => expect(result.findings[i]?.text).toMatch(why))
  })

  test('that never ends is stopped; the rules after it are judged', async () => {
    using folder = folderWithFile()
    const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
    const rules = JSON.stringify([
      { name: 'endless', sql: endless, timeout: '500ms' },
      { name: 'odd ids', sql: 'SELECT id FROM notes WHERE id = 7' },
    ])
    const { result } = await checkWith(folder, rules)
    expect(told(result)).toEqual([['invariant-unjudged', 'notice', 'invariant', 'endless'], violated('odd ids')])
    expect(result.findings[0]?.text).toContain('it took longer than 500 ms')
  })

  test('with very many rows is bounded, and keys of any type are keys', async () => {
    using folder = folderWithFile()
    const rows = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i FROM n'
    const rules = JSON.stringify([
      { name: 'many', sql: rows },
      { name: 'types', sql: "VALUES ('text'), (1.5), (NULL), (x'00ff'), (9223372036854775807)" },
    ])
    const { result } = await checkWith(folder, rules)
    expect(result.findings.map(({ rows: keys, total }) => [keys?.length, total])).toEqual([
      [20, 10_000],
      [5, 5],
    ])
    expect(result.findings[0]?.text).toContain('more than 10,000 rows violate it')
    expect(result.findings[1]?.rows).toEqual([['text'], [1.5], [null], [{ blob: '00ff' }], '9223372036854775807'])
  })
})

describe('a rule as a command', () => {
  test('gets a copy that it may change, and the file and the kept snapshot stay as they are', async () => {
    using folder = folderWithFile()
    mkdirSync(folder.in('out'))
    const program = script(
      folder,
      'rule.sh',
      `echo "$1" > ${folder.in('out/path')}; cp "$1" ${folder.in('out/copy.db')}`,
      'echo overwritten > "$1"; echo "$HOLDFAST_PATH"; exit 1',
    )
    const before = fingerprintOf(folder.path)['app.db']
    const rules = JSON.stringify([{ name: 'own', command: [program, '{snapshot}'] }])
    const { result, code, text } = await checkWith(folder, rules)
    expect([shortVerdict(result), told(result), code]).toEqual(['sound', [violated('own')], 0])
    expect(result.findings[0]).toMatchObject({ lines: [folder.in('app.db')], total: 1 })
    expect(text).toContain('does not hold: its command reports 1 line')
    const path = readFileSync(folder.in('out/path'), 'utf8').trim()
    expect(path).not.toBe(folder.in('app.db'))
    expect(existsSync(path)).toBe(false)
    expect(readFileSync(folder.in('out/copy.db')).equals(readFileSync(folder.in('app.db')))).toBe(true)
    expect(fingerprintOf(folder.path)['app.db']).toBe(before)
  })

  test.each([
    ['0: it holds', 'echo fine; exit 0', 'sound', []],
    ['2: not judged', 'echo trouble >&2; exit 2', 'sound', ['invariant-unjudged']],
    ['a signal: not judged', 'kill -9 $$', 'sound', ['invariant-unjudged']],
    ['too late: not judged', 'sleep 20', 'sound', ['invariant-unjudged']],
    ['1 without a word', 'exit 1', 'damaged', ['invariant-violated']],
  ])('that ends with %s', async (_, line, verdict, rules) => {
    using folder = folderWithFile()
    const program = script(folder, 'rule.sh', line)
    const configured = [{ name: 'own', command: [program, '{snapshot}'], severity: 'damage', timeout: '2s' }]
    const { result } = await checkWith(folder, JSON.stringify(configured))
    expect([result.verdict, result.findings.map(({ rule }) => rule)]).toEqual([verdict, rules])
  })

  test('what it prints is made printable and bounded; --redact-keys hides it', async () => {
    using folder = folderWithFile()
    const program = script(
      folder,
      'rule.sh',
      "i=0; while [ $i -lt 100 ]; do printf 'line %s \\033[31m\\n' $i; i=$((i+1)); done; exit 1",
    )
    const rules = JSON.stringify([{ name: 'own', command: [program, '{snapshot}'] }])
    const { result, text } = await checkWith(folder, rules)
    expect(result.findings[0]?.lines).toHaveLength(20)
    expect(result.findings[0]?.total).toBe(100)
    expect(result.findings[0]?.lines?.[0]).toBe('line 0 \\e[31m')
    expect(text).not.toContain('\u001b')
    const hidden = await checkWith(folder, rules, '--redact-keys')
    expect(JSON.stringify(hidden.result)).not.toContain('line 0')
  })
})

test('a tenant whose id no command can be given is checked, and so are all others', async () => {
  await using service = await openService({
    tenants: (data) => ({ 'a\0b': `${data}/a.db`, bolt: `${data}/bolt.db` }),
    settings: { check: { invariants: [{ name: 'own', command: ['/bin/true', '{snapshot}'] }] } },
  })
  const { results } = await reportOf(['sweep', '--config', service.config])
  const seen = Object.fromEntries(results.map((result) => [result.tenant, [result.verdict, told(result)]]))
  expect(seen).toEqual({
    'a\0b': ['sound', [['invariant-unjudged', 'notice', 'invariant', 'own']]],
    bolt: ['sound', []],
  })
})

test('a damaged file is not judged by the rules of the application', async () => {
  using folder = folderWithFile()
  damageIndex(folder.in('app.db'))
  const { result, code } = await checkWith(folder, '[{ name: any, sql: "SELECT id FROM notes" }]')
  expect([result.verdict, result.damage, code]).toEqual(['damaged', 'index', 2])
  expect(result.findings.map(({ rule }) => rule)).not.toContain('invariant-violated')
})

test('rules of other tenants are not for a bare file, and without --config there are none', async () => {
  using folder = folderWithFile()
  const rules = '[{ name: of acme, sql: "SELECT 1", tenants: ["a*"], severity: damage }]'
  expect((await checkWith(folder, rules)).code).toBe(0)
  expect((await holdfast(['check', folder.in('app.db')])).code).toBe(0)
  expect(readdirSync(folder.path).filter((name) => name.startsWith('rule-'))).toEqual([])
})
