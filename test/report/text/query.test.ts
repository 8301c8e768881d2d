/** The statement of a finding: what is copied from the report is what SQLite must read, whatever names it holds. */
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import type { Finding } from '../../../src/model/result/finding.ts'
import { renderReport } from '../../../src/report/text/text.ts'
import { damaged, report } from '../../support/report.ts'

const [finding] = damaged('acme').findings as [Finding]

const linesWith = (query: string, width = 40): readonly string[] =>
  renderReport(report([damaged('acme', { findings: [{ ...finding, query }] })]), {
    width,
    color: false,
    verbose: false,
  }).split('\n')

test.each([
  ['short', 'SELECT rowid FROM "t" NOT INDEXED'],
  ['longer than the terminal is wide', `SELECT rowid FROM "t" WHERE ${'typeof("x") = 1 OR '.repeat(9)}1`],
  [
    'names with blanks and quotes',
    `SELECT rowid FROM "a  ""table"" 'of' [many] words" WHERE [x  y] = 'it''s  a "word" -- no comment' AND ` +
      `\`a  b\` = 1`,
  ],
  ['letters of other scripts', 'SELECT "größe" FROM "表"'],
])('broken between words only, with its semicolon: %s', (_, query) => {
  const lines = linesWith(query)
  const from = lines.indexOf('  list') + 1
  const broken = lines.slice(from, lines.findIndex((line) => line.endsWith(';')) + 1)
  expect(broken.map((line) => line.slice(4)).join(' ')).toBe(`${query};`)
  expect(broken.every((line) => /^ {4}\S/.test(line))).toBe(true)
})

test('a name that is wider than the terminal stays whole', () => {
  const name = `"${'a name with blanks '.repeat(5)}"`
  expect(linesWith(`SELECT rowid FROM ${name} NOT INDEXED`)).toContain(
    `    ${name} NOT INDEXED;`.replace(' NOT INDEXED;', ''),
  )
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

test('a statement that is too long to be copied is counted', () => {
  const lines = linesWith(`SELECT ${'"x", '.repeat(500)}1`, 80)
  expect(lines).toContain('  list    the statement has 2508 characters; --json has it')
})
