/**
 * Row values are printed only with --show-values, and never remembered.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { shortVerdict, holdfast, reportIn, reportOf, single } from '../../support/cli/program.ts'
import { openService } from '../../support/cli/service.ts'
import { EditableDatabase } from '../../support/databases/surgeon.ts'

/** A table page that missed an UPDATE, which both indexes know of. */
function makeStale(path: string): string {
  makeDatabase(path, { rows: 500 })
  const database = new Database(path)
  database.exec('CREATE INDEX notes_body ON notes(body)')
  using pages = new EditableDatabase(path)
  const leaf = pages.leaf('notes')
  const before = pages.read(leaf)
  const id = Number(/body (\d+) /.exec(before.toString('latin1'))?.[1]) + 1
  database.prepare("UPDATE notes SET title = 'private title', body = 'private body' WHERE id = ?").run(id)
  database.close()
  pages.write(leaf, before)
  return path
}

test('a check names what can be salvaged, and shows the values only with --show-values', async () => {
  using folder = makeFolder()
  const path = makeStale(folder.in('app.db'))
  const quiet = await holdfast(['check', path, '--json'])
  const result = single(reportIn(quiet))
  expect([shortVerdict(result), result.causes.map(({ hint }) => hint), result.remedy.do]).toEqual([
    'damaged table',
    ['lost-table-write'],
    'ask',
  ])
  expect(result.findings.map(({ object, agreeing, salvage }) => [object.name, agreeing, salvage])).toEqual([
    ['notes_body', ['notes_title'], { columns: ['body'], total: 1 }],
    ['notes_title', ['notes_body'], { columns: ['title'], total: 1 }],
  ])
  const text = await holdfast(['check', path])
  expect(text.stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /if the table is wrong instead: the index still holds body of 1 row/,
  )
  for (const { stdout, stderr } of [quiet, text]) expect(stdout + stderr).not.toContain('private')

  const shown = single(await reportOf(['check', path, '--show-values']))
  expect(shown.findings.map(({ salvage }) => salvage?.rows?.map(({ values }) => values))).toEqual([
    [['private body']],
    [['private title']],
  ])
  expect(
    single(await reportOf(['check', '--snapshot', path, '--show-values'])).findings.map(({ salvage }) => salvage),
  ).toEqual(shown.findings.map(({ salvage }) => salvage))
  const withValues = await holdfast(['check', path, '--show-values'], { env: { COLUMNS: '80' } })
  expect(withValues.stdout).toMatch(/salvage +row \d+: title = "private title"/)
  expect(withValues.stdout.split('\n').filter((line) => line.length > 80 && !/^ +holdfast /.test(line))).toEqual([])
  const hidden = await holdfast(['check', path, '--show-values', '--redact-keys', '--json'])
  expect([hidden.code, reportIn(hidden).failure?.code]).toEqual([64, 'USAGE'])
})

test('the ledger never keeps them', async () => {
  await using service = await openService({ tenants: (data) => ({ acme: makeStale(join(data, 'acme.db')) }) })
  const shown = await holdfast(['check', '--tenant', 'acme', '--show-values', '--json', '--config', service.config])
  expect(shown.stdout).toContain('private title')
  const ledger = readFileSync(join(service.ledger, 'ledger.db'), 'latin1')
  expect(ledger).toContain('"salvage":{"columns":["title"],"total":1}')
  expect(ledger).not.toContain('private')
  expect((await holdfast(['sweep', '--json', '--config', service.config])).stdout).not.toContain('private')
})
