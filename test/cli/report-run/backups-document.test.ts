import { expect, test } from 'vitest'
import { BackupsDocument } from '../../../src/cli/report-run/backups-document.ts'
import { exitCodes } from '../../../src/model/exit-code.ts'
import { Failure } from '../../../src/model/failure.ts'
import type { VerifiedBackup } from '../../../src/model/result/backup.ts'

const terminal = {
  version: '0.0.0',
  interrupt: { signal: new AbortController().signal, exitCode: () => exitCodes.terminated, announce: () => undefined },
}

const backup: VerifiedBackup = {
  id: '20261130T024013339Z-8010f003',
  tenant: null,
  path: '/srv/app.db',
  takenAt: '2026-11-30T02:40:13.339Z',
  confirmedAt: null,
  verifiedAt: '2026-11-30T02:40:13.339Z',
  sha256: 'ab'.repeat(32),
  bytes: 4096,
  storedBytes: 512,
  level: 'sealed',
  state: 'verified',
  failure: null,
}

test('a verification that a signal ended has the code of the signal, also after backups that are sound', () => {
  using document = new BackupsDocument(terminal, {}, { action: 'verify', dryRun: false })
  const ended = new Failure('INTERRUPTED', 'the run was ended by SIGTERM')
  expect(document.exitCodeOfError(ended)).toBe(143)
  document.addVerified({ kind: 'sound', backup })
  expect(document.exitCodeOfError(ended)).toBe(143)
  expect(document.exitCodeOfError(ended.withTenant('maybe-paused'))).toBe(4)
})
