/** Several tenants that stand still share the probe: one whose pause is over must not cost the others their proof. */
import { statSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Probe } from '../../../src/hold/seal/probe.ts'
import { openDescriptor } from '../../../src/host/files/descriptor.ts'
import { tryLock } from '../../../src/host/locks/byte-lock.ts'
import type { LivePath } from '../../../src/model/brand.ts'
import { lockBytes } from '../../../src/sqlite/lock-bytes.ts'
import { temporaryFolder } from '../../support/host/other-process.ts'
import { descendantsRunning, eventually, isRunning } from '../../support/processes.ts'

const probes = (): readonly number[] => descendantsRunning(process.pid, 'probe-child')

test('a stopped probe is replaced when the pause is over, and the next file is tried by the new one', async () => {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  writeFileSync(path, '')
  using file = openDescriptor(path, 'read-write')
  expect(tryLock(file.number, 'write', lockBytes.all)).toBe('granted')
  const { dev, ino } = statSync(path, { bigint: true })
  const others = probes()
  {
    await using probe = Probe.start()
    await probe.ready()
    const [stopped = 0] = probes().filter((pid) => !others.includes(pid))
    process.kill(stopped, 'SIGSTOP')
    const over = new AbortController()
    const first = probe.try(path as LivePath, 'exclusive', { dev, ino }, over.signal)
    const second = probe.try(path as LivePath, 'exclusive', { dev, ino }, new AbortController().signal)
    setImmediate(() => over.abort(new Error('the pause is over')))
    await expect(first).rejects.toThrow('the pause is over')
    expect(await second).toEqual({ raw: 'refused', read: 'refused', write: 'refused' })
    expect(isRunning(stopped)).toBe(false)
    expect(probes().filter((pid) => !others.includes(pid))).toHaveLength(1)
  }
  await eventually('no probe is left', () => probes().every((pid) => others.includes(pid)))
})
