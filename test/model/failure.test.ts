/** What each failure code does to its result, to its run and to the next step: contracts that no rewrite may change. */

import { expect, it, test } from 'vitest'
import { Failure, failureKinds, type FailureCode } from '../../src/model/failure.ts'
import { exitCodeOfFailure, exitCodeOfResult } from '../../src/model/failures/exit-of-failure.ts'
import { nextCommand } from '../../src/report/text/next-command.ts'
import { StopTheLine } from '../../src/runs/stop-the-line.ts'
import { failed } from '../support/report.ts'

/** Tenant, attempts, exit code of a run, exit code of a result, the run, the next command. */
const facts = [
  ['ADMIN_REFUSED', 'untouched', 'once', 1, 1, 'goes on', 'doctor'],
  ['ADMIN_UNREACHABLE', 'untouched', 'again', 1, 1, 'goes on', 'doctor'],
  ['BACKUP_BROKEN', 'untouched', 'once', 2, 2, 'goes on', 'explain'],
  ['BACKUP_UNKNOWN', 'untouched', 'once', 64, 1, 'goes on', 'explain'],
  ['CANNOT_CONFINE', 'untouched', 'once', 1, 1, 'stops', 'explain'],
  ['CONFIG_INVALID', 'untouched', 'once', 78, 1, 'goes on', 'explain'],
  ['CONTRACT_BROKEN', 'unknown', 'once', 1, 1, 'goes on', 'doctor'],
  ['COPY_CHANGED', 'unknown', 'again', 1, 1, 'goes on', 'holders'],
  ['EMPTY_FILE', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['FILE_GONE', 'unknown', 'once', 1, 1, 'goes on', 'explain'],
  ['FLEET_AGENT_ACTIVE', 'untouched', 'again', 75, 1, 'goes on', 'explain'],
  ['FLEET_CHUNK_FAILED', 'unknown', 'again', 1, 1, 'goes on', 'check'],
  ['FLEET_FULL', 'untouched', 'again', 1, 1, 'goes on', 'explain'],
  ['FLEET_HOST_ACTIVE', 'untouched', 'again', 75, 1, 'goes on', 'explain'],
  ['FLEET_HOST_TAKEN', 'untouched', 'once', 78, 1, 'goes on', 'explain'],
  ['FLEET_IN_USE', 'untouched', 'again', 75, 1, 'goes on', 'explain'],
  ['FLEET_NOT_PREPARED', 'untouched', 'again', 78, 1, 'goes on', 'explain'],
  ['FLEET_PACKAGE_MISSING', 'untouched', 'once', 78, 1, 'goes on', 'explain'],
  ['FLEET_REFUSED', 'untouched', 'once', 78, 1, 'goes on', 'explain'],
  ['FLEET_RUN_ACTIVE', 'untouched', 'again', 75, 1, 'goes on', 'explain'],
  ['FLEET_STATEMENT_FAILED', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['FLEET_TOO_NEW', 'untouched', 'once', 78, 1, 'goes on', 'explain'],
  ['FLEET_UNREACHABLE', 'untouched', 'again', 3, 1, 'goes on', 'explain'],
  ['GUARDIAN_LOST', 'unknown', 'once', 1, 1, 'stops', 'check'],
  ['HARM_SUSPECTED', 'active', 'once', 2, 2, 'stops', 'explain'],
  ['INTERRUPTED', 'untouched', 'once', 1, 1, 'stops', 'check'],
  ['IN_USE', 'untouched', 'again', 75, 75, 'goes on', 'holders'],
  ['LEASE_LOST', 'unknown', 'again', 1, 1, 'goes on', 'check'],
  ['LEASE_UNAVAILABLE', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['LEDGER_UNUSABLE', 'untouched', 'once', 1, 1, 'stops', 'explain'],
  ['LOCKS_UNTRUSTED', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['LOCK_BUSY', 'untouched', 'again', 75, 75, 'goes on', 'holders'],
  ['LOCK_NOT_HONOURED', 'unknown', 'once', 1, 1, 'stops', 'doctor'],
  ['MANY_NAMES', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['NOT_A_FILE', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['NOT_FOUND', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['NOT_SQLITE', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['NO_PERMISSION', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['NO_SPACE', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['PATH_OUTSIDE_ROOTS', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['PAUSE_NOT_GRANTED', 'untouched', 'again', 75, 75, 'goes on', 'explain'],
  ['PAUSE_TOO_LATE', 'untouched', 'again', 75, 1, 'goes on', 'check'],
  ['PLATFORM_UNSUPPORTED', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['QUIESCE_TIMEOUT', 'unknown', 'again', 1, 1, 'goes on', 'check'],
  ['READ_FAILED', 'unknown', 'again', 1, 1, 'goes on', 'explain'],
  ['REGISTRY_STALE', 'untouched', 'again', 1, 1, 'goes on', 'doctor'],
  ['REMEDY_REFUSED', 'untouched', 'once', 2, 2, 'goes on', 'explain'],
  ['REMEDY_STALE', 'untouched', 'again', 3, 3, 'goes on', 'explain'],
  ['REPORT_BROKEN', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['RESUME_FAILED', 'maybe-paused', 'again', 1, 1, 'stops', 'explain'],
  ['RUN_ACTIVE', 'untouched', 'again', 75, 1, 'goes on', 'explain'],
  ['RUN_UNKNOWN', 'untouched', 'once', 64, 1, 'goes on', 'explain'],
  ['SERVICE_BUSY', 'untouched', 'again', 1, 1, 'goes on', 'check'],
  ['SNAPSHOT_UNSAFE', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['TENANT_GONE', 'unknown', 'once', 1, 1, 'goes on', 'explain'],
  ['TENANT_UNKNOWN', 'untouched', 'once', 64, 1, 'goes on', 'explain'],
  ['TOO_LARGE_FOR_PAUSE', 'untouched', 'once', 1, 1, 'goes on', 'explain'],
  ['TOO_SOON', 'untouched', 'again', 75, 1, 'goes on', 'explain'],
  ['TRANSFER_BROKEN', 'untouched', 'once', 64, 1, 'goes on', 'explain'],
  ['USAGE', 'untouched', 'once', 64, 1, 'goes on', 'explain'],
  ['WRITER_SEEN', 'unknown', 'again', 1, 1, 'goes on', 'holders'],
] as const

it.each(facts)('%s: tenant %s, tried %s, exit %i, of a result %i, the run %s, next %s', (code, ...expected) => {
  const failure = new Failure(code, 'a test')
  const result = failed('acme', { failure: { code, message: 'm', hint: 'h', tenantState: 'unknown' } })
  const line = new StopTheLine(new AbortController().signal)
  line.consider({ failure, result })
  const next = nextCommand(result, { mode: 'sweep', copied: false }, null) ?? ''
  expect([
    failure.tenantState,
    failure.retry ? 'again' : 'once',
    exitCodeOfFailure({ code, tenantState: 'unknown' }),
    exitCodeOfResult(result),
    line.reason === null ? 'goes on' : 'stops',
    next.split(' ')[1],
  ]).toEqual(expected)
})

test('every code has its line here', () => {
  const listed: readonly FailureCode[] = facts.map(([code]) => code)
  expect(listed).toEqual(Object.keys(failureKinds).toSorted())
})
