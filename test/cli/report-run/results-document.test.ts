import { expect, test } from 'vitest'
import { ResultsDocument } from '../../../src/cli/report-run/results-document.ts'
import { newRunId } from '../../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../../src/model/brand.ts'
import { exitCodes } from '../../../src/model/exit-code.ts'

const terminal = {
  version: '0.0.0',
  commandLine: { words: [], config: null },
  say: () => undefined,
  interrupt: { signal: new AbortController().signal, exitCode: () => exitCodes.interrupted, announce: () => undefined },
}

test.each([
  ['file', null],
  ['tenant', tenantId('acme')],
])('a run that a signal ended before its first result counts what it selected: a %s', (noun, tenant) => {
  using document = new ResultsDocument(terminal, {}, { id: newRunId(), mode: 'check', registry: 'none' })
  document.select([{ tenant, named: '/srv/app.db' }])
  const end = { exitCode: exitCodes.interrupted, ending: null, failure: null }
  const [text] = document.text(end, { width: Infinity, color: false, verbose: false })
  expect(text).toMatch(new RegExp(`\\b1 ${noun}\\b`))
})
