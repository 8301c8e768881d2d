/** The rule: what every later tenant would meet stops the line, and what one tenant meets does not, however often. */

import { describe, expect, it, test } from 'vitest'
import { Failure, failureKinds, type FailureScope, type FailureCode } from '../../src/model/failure.ts'
import { noEvidence, type QuiesceEvidence } from '../../src/model/result/evidence.ts'
import type { Result } from '../../src/model/result/report.ts'
import type { Examination } from '../../src/runs/examine.ts'
import { StopTheLine } from '../../src/runs/stop-the-line.ts'

type ExaminationEnd = Pick<Examination, 'result' | 'failure'>

const quiesce: QuiesceEvidence = {
  via: 'admin-api',
  leaseId: '',
  fence: 1,
  bootId: null,
  heldMs: null,
  continuous: null,
  sqliteVersion: null,
}
const examined = (failure: Failure | null, path = 'a.db', leaseId = 'first'): ExaminationEnd => ({
  failure,
  result: resultOf(leaseId, path),
})
const resultOf = (leaseId: string, path: string): Result => ({
  tenant: null,
  path,
  verdict: 'inconclusive',
  damage: 'none',
  findings: [],
  findingsTotal: 0,
  causes: [],
  coverage: { pages: 0, pagesRead: 0, objects: 0, skipped: [] },
  content: { tables: [] },
  remedy: { do: 'nothing', indexes: [], rehearsed: false, why: '', command: null },
  evidence: { ...noEvidence, quiesce: { ...quiesce, leaseId } },
  reason: 'a test',
  depth: 'full',
  readBy: null,
  timings: { warmMs: null, pauseMs: null, predictedPauseMs: null, checkMs: null, totalMs: 0 },
})
const met = (code: FailureCode, concerns: FailureScope = 'tenant'): ExaminationEnd =>
  examined(new Failure(code, 'a test', { concerns }))
const sound = examined(null)
const newLine = (): StopTheLine => new StopTheLine(new AbortController().signal)
const lineAfter = (...looked: readonly ExaminationEnd[]): StopTheLine => {
  const line = newLine()
  for (const one of looked) line.consider(one)
  return line
}

const atOnce = [
  'RESUME_FAILED',
  'LOCK_NOT_HONOURED',
  'GUARDIAN_LOST',
  'LEDGER_UNUSABLE',
  'CANNOT_CONFINE',
  'HARM_SUSPECTED',
  'INTERRUPTED',
] as const
const all = Object.keys(failureKinds) as FailureCode[]

describe('the first result with such a failure stops the line', () => {
  it.each(atOnce)('%s', (code) => {
    expect(lineAfter(met(code)).reason).toMatchObject({ code })
  })
})

describe('however many in a row meet it, it is their own result', () => {
  it.each(all.filter((code) => !(atOnce as readonly string[]).includes(code)))('%s', (code) => {
    // Of one lease, where it is LEASE_LOST.
    const { reason, signal } = lineAfter(...Array.from({ length: 20 }, () => met(code)))
    expect([reason, signal.aborted]).toEqual([null, false])
  })
})

describe('what the machine has none of', () => {
  const shortage = met('READ_FAILED', 'machine')
  const full = met('NO_SPACE', 'machine')

  it('stops the line at the third result in a row, whatever it is short of', () => {
    expect(lineAfter(shortage, full).reason).toBeNull()
    expect(lineAfter(shortage, full, shortage).reason).toMatchObject({ code: 'READ_FAILED' })
    expect(lineAfter(full, full, full).reason).toMatchObject({ code: 'NO_SPACE' })
  })

  it.each([
    ['a sound result', sound],
    ['a failure of one tenant', met('READ_FAILED')],
  ])('does not where %s came in between', (_, between) => {
    expect(lineAfter(shortage, shortage, between, shortage, shortage).reason).toBeNull()
  })

  it('is no reason of a run that has covered everything: its results have their own codes', () => {
    const line = lineAfter(shortage, shortage, shortage)
    expect([line.whyStopped(0), line.whyStopped(1)?.code]).toEqual([null, 'READ_FAILED'])
  })

  it('hides no graver reason', () => {
    expect(lineAfter(shortage, shortage, met('GUARDIAN_LOST', 'machine')).whyStopped(0)).toMatchObject({
      code: 'GUARDIAN_LOST',
    })
  })
})

test('six files of one lost pause do not stop the line, the fourth lost pause does', () => {
  const lost = (leaseId: string, path: string): ExaminationEnd =>
    examined(new Failure('LEASE_LOST', 'a test'), path, leaseId)
  const line = lineAfter(
    ...['a', 'b', 'c', 'd', 'e', 'f'].map((path) => lost('first', path)),
    lost('second', 'a'),
    lost('third', 'a'),
  )
  expect(line.reason).toBeNull()
  line.consider(lost('fourth', 'a'))
  expect(line.reason).toMatchObject({ code: 'LEASE_LOST', message: expect.stringMatching(/^4 leases/) as string })
})

test('a failure beside any tenant stops the line, and a defect does so and is thrown in the end', async () => {
  const failed = newLine()
  expect(await failed.guard(Promise.reject(new Failure('LEDGER_UNUSABLE', 'a test')))).toBeNull()
  expect(failed.reason).toMatchObject({ code: 'LEDGER_UNUSABLE' })
  const defect = newLine()
  await defect.guard(Promise.reject(new TypeError('made by the test')))
  expect(() => defect.throwBug()).toThrow('made by the test')
})
