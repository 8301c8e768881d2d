/** How long a remedy waits for a service that restarts, and what it says then. */

import { expect, test } from 'vitest'
import { tenantId } from '../../../src/model/brand.ts'
import { Failure, type FailureCode } from '../../../src/model/failure.ts'
import type { ChosenBackup, RemedyOutcome, RemedyResult } from '../../../src/model/result/remedy.ts'
import { metRestart, RestartRetries, withWayOut } from '../../../src/runs/remedies/restart-retries.ts'
import type { Service } from '../../../src/service/port.ts'

const target = { tenant: tenantId('acme'), named: '/srv/notes/a b.db' }

const outcome = (code: FailureCode, more: Partial<RemedyResult> = {}): RemedyOutcome => ({
  check: null,
  account: null,
  result: {
    tenant: target.tenant,
    path: target.named,
    before: { verdict: 'damaged', damage: 'index', findingsTotal: 1 },
    plan: {
      do: 'rebuild',
      objects: [],
      backup: null,
      method: 'swap',
      predictedPauseMs: null,
      needsBytes: null,
      losses: [],
      undo: null,
      why: 'w',
      command: null,
    },
    rehearsal: null,
    applied: null,
    account: null,
    failure: { code, message: 'no connection', hint: 'h', tenantState: 'active' },
    ...more,
  },
})

/** A service that answers only from its nth question on. */
const answersFrom = (nth: number, via: Service['via'] = 'admin-api'): Service => {
  let asked = 0
  return {
    via,
    capabilities: () =>
      ++asked < nth
        ? Promise.reject(new Failure('ADMIN_UNREACHABLE', 'no connection'))
        : Promise.resolve({ service: 's', version: '1', sqliteVersion: null, bootId: null, modes: [], limits: {} }),
  } as unknown as Service
}

test('a service is asked until it answers; a command hook is not, for each answer would run a command', async () => {
  const { signal } = new AbortController()
  expect(await new RestartRetries().mayTryAgain(answersFrom(3), signal)).toBe(true)
  expect(await new RestartRetries().mayTryAgain(answersFrom(1, 'hooks'), signal)).toBe(false)
  expect(await new RestartRetries().mayTryAgain(answersFrom(Infinity), AbortSignal.abort())).toBe(false)
})

test('attempts are limited even if the service always answers: each of them pauses the tenant', async () => {
  const retries = new RestartRetries()
  const { signal } = new AbortController()
  let attempts = 1
  while (attempts < 100 && (await retries.mayTryAgain(answersFrom(1), signal))) attempts++
  expect(attempts).toBe(12)
})

test('only an attempt that changed nothing is made again, and none if the tenant may be paused', () => {
  const applied = {} as RemedyResult['applied']
  expect(metRestart(outcome('ADMIN_UNREACHABLE'))).toBe(true)
  expect(metRestart(outcome('LEASE_LOST'))).toBe(true)
  expect(metRestart(outcome('IN_USE'))).toBe(false)
  expect(metRestart(outcome('ADMIN_UNREACHABLE', { applied }))).toBe(false)
  const failure = { code: 'LEASE_LOST', message: 'm', hint: 'h', tenantState: 'maybe-paused' } as const
  expect(metRestart(outcome('LEASE_LOST', { failure }))).toBe(false)
})

test('then it says how to mend the file while the service is stopped, with the exact commands', () => {
  const once = withWayOut(outcome('ADMIN_UNREACHABLE'), target, 'repair', 1).result.failure
  expect(once).toMatchObject({ code: 'ADMIN_UNREACHABLE', message: 'no connection', tenantState: 'active' })
  expect(once?.hint).toBe(
    'if the service crashes again and again, or is down: stop it, mend its file with ' +
      "`holdfast repair '/srv/notes/a b.db' --apply`, " +
      'start it, and run `holdfast check --tenant acme`',
  )
  expect(withWayOut(outcome('LEASE_LOST'), target, 'repair', 4).result.failure?.message).toBe(
    'no connection; 4 attempts within 1 min met a service that restarts',
  )
  const backup = { id: '01J', takenAt: '', sha256: '', verifiedAt: '' } satisfies ChosenBackup
  const { plan } = outcome('LEASE_LOST').result
  const restore = outcome('LEASE_LOST', { plan: { ...plan, do: 'restore', backup } })
  expect(withWayOut(restore, target, 'restore', 1).result.failure?.hint).toContain(
    "`holdfast restore '/srv/notes/a b.db' --from 01J --apply`",
  )
  expect(withWayOut(outcome('LEASE_LOST'), target, 'restore', 1).result.failure?.hint).toBe('h')
  expect(withWayOut(outcome('IN_USE'), { ...target, tenant: null }, 'repair', 1).result.failure?.hint).toBe('h')
})
