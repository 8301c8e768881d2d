/** The statement of a finding: what is copied from the report is what SQLite must read, whatever names it holds. */
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import type { Finding } from '../../src/model/finding.ts'
import { renderReport } from '../../src/report/text.ts'
import { damaged, report } from './support.ts'

const [finding] = damaged('acme').findings as [Finding]

const linesWith = (query: string, width = 40): readonly string[] =>
  renderReport(report([damaged('acme', { findings: [{ ...finding, query }] })]), {
    width,
    color: false,
    verbose: false,
  }).split('\n')

test.each([
  ['short', 'SELECT rowid FROM "t" NOT INDEXED'],
  ['longer than the terminal is wide, with blanks in a name', `SELECT rowid FROM "a  table 'of' [many] words" WHERE ${'typeof("x") = 1 OR '.repeat(9)}1`],
  ['letters of other scripts', 'SELECT "größe" FROM "表"'],
])('on one line, with its semicolon: %s', (_, query) => {
  const lines = linesWith(query)
  expect(lines).toContain(`    ${query};`)
  expect(lines[lines.indexOf(`    ${query};`) - 1]).toBe('  list')
})

test.each(['SELECT rowid FROM "a\nb\'\\ \u001b[31m"', 'SELECT rowid FROM "\u202ea\u200b"'])(
  'a name that cannot be shown is spelled for the shell, and means the same there: %j',
  (query) => {
    const command = linesWith(query).find((line) => line.startsWith('    sqlite3 FILE ')) ?? ''
    expect(command).toMatch(/^[ -~]+$/)
    const word = command.replace('    sqlite3 FILE ', '')
    expect(execFileSync('bash', ['-c', `printf %s ${word}`], { encoding: 'utf8' })).toBe(query)
  },
)

test('a statement that nobody could copy is counted', () => {
  const lines = linesWith(`SELECT ${'"x", '.repeat(500)}1`, 80)
  expect(lines).toContain('  list    the statement has 2508 letters; --json gives it')
})
