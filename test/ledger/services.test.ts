/** Several services in one ledger. */

import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openLedger, readLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../src/model/brand.ts'
import { holdAsked, checked, fileIn, holdQuiesced, scratch, soundResult } from '../support/ledger/sample-events.ts'
import { damagedCheck, finished, holders, mail, notes, notesByApi, started, write } from '../support/ledger/services.ts'

test('each service has its own holds, results, history and runs; holds of others are named as such', async () => {
  using folder = scratch()
  await write(folder.path, notes, started, holdAsked('n', 'acme'), damagedCheck('acme'), finished)
  await write(
    folder.path,
    mail,
    holdAsked('m', 'acme'),
    holdQuiesced('m', 'acme'),
    checked('acme', {
      failure: { code: 'TENANT_GONE', message: '', hint: '', tenantState: 'unknown' },
      verdict: 'inconclusive',
    }),
  )
  await using ofNotes = await readLedger(folder.path, notes)
  expect(await holders(ofNotes)).toEqual([['n'], ['m: another-service']])
  expect((await ofNotes.lastResults()).map(({ verdict, settled }) => [verdict, settled?.verdict])).toEqual([
    ['damaged', 'damaged'],
  ])
  expect([
    (await ofNotes.history(null, 10)).length,
    (await ofNotes.checks(tenantId('acme'), 10)).lines.length,
    (await ofNotes.lastRuns(5)).length,
  ]).toEqual([4, 1, 1])
  await using ofMail = await readLedger(folder.path, mail)
  expect(await holders(ofMail)).toEqual([['m'], ['n: another-service']])
  expect((await ofMail.otherHolds())[0]).toMatchObject({ ...notes, tenant: 'acme' })
  expect((await ofMail.lastResults()).map(({ failure, settled }) => [failure, settled])).toEqual([
    ['TENANT_GONE', null],
  ])
  expect([(await ofMail.history(tenantId('acme'), 10)).length, (await ofMail.lastRuns(5)).length]).toEqual([3, 0])
  await using ofFiles = await readLedger(folder.path)
  expect([await holders(ofFiles), await ofFiles.lastResults(), await ofFiles.history(null, 9)]).toEqual([
    [[], ['n: another-service', 'm: another-service']],
    [],
    [],
  ])
})

test('last good checks and abandoned pauses belong to one service', async () => {
  using folder = scratch()
  const file = { tenant: tenantId('acme'), path: '/srv/notes/acme.db' }
  {
    await using ledger = await openLedger(folder.path, newRunId(), notes)
    await ledger.storeLastGood({
      ...file,
      schema: null,
      basis: null,
      paces: [],
      header: { walMode: true, changeCounter: 1, versionValidFor: 1, pageCount: 1, schemaCookie: 1 },
      standing: { provenAt: 5, bootId: '', files: [] },
      content: { format: '', tables: [] },
      pages: { format: 1, pageSize: 4096, pages: 1, groupPages: 1, groups: new Uint32Array(1) },
    })
    const failure = { code: 'TOO_LARGE_FOR_PAUSE', message: '', hint: '', tenantState: 'active' } as const
    await ledger.append(
      checked('acme', {
        verdict: 'inconclusive',
        failure,
        timings: { ...soundResult('acme').timings, ranOutMs: 10_001 },
      }),
    )
  }
  for (const [way, known] of [
    [mail, false],
    [notes, true],
    [notesByApi, true],
  ] as const) {
    await using ledger = await openLedger(folder.path, newRunId(), way)
    const [newest] = await ledger.newestChecks([file])
    expect([(await ledger.lastGood([file]))[0] !== null, newest?.abandonedPauseMs ?? null]).toEqual([
      known,
      known ? 10_001 : null,
    ])
  }
})

test('a damaged ledger is set aside, and each open hold goes on as whose it was', async () => {
  using folder = scratch()
  await write(folder.path, notes, holdAsked('n', 'acme'))
  await write(folder.path, mail, holdAsked('m', 'acme'), ...Array.from({ length: 200 }, (_, at) => checked(`t${at}`)))
  const spoilt = new Database(fileIn(folder.path))
  spoilt.exec('drop index line_of_tenant')
  spoilt.close()
  await using ledger = await openLedger(folder.path, newRunId(), notes)
  expect(ledger.notice).toContain('2 open holds were carried over')
  expect([await holders(ledger), ledger.holdsLost]).toEqual([[['n'], ['m: another-service']], false])
})
