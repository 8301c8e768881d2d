import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openTestGate, until } from '../../support/service/gate.ts'

test('I2.1: the gate counts handles that stayed open, whatever `close` believes', async () => {
  await using service = await openTestGate()
  const forgotten = new Database(service.fileOf('acme'))
  forgotten.prepare('select count(*) from t').get()
  const granted = await service.quiesce('acme')
  // The database, its -wal and its -shm; SQLite itself may put off a close while another handle of the process has
  // locks.
  expect(granted.json['openHandles']).toBeGreaterThanOrEqual(3)
  forgotten.close()
  expect((await service.quiesce('bolt')).json['openHandles']).toBe(0)
})

test('I2.1: a bare descriptor on the -shm counts, one on a file of the same name elsewhere does not', async () => {
  await using service = await openTestGate()
  const other = mkdtempSync(join(tmpdir(), 'other-'))
  writeFileSync(join(other, 'acme.db'), '')
  const elsewhere = openSync(join(other, 'acme.db'), 'r')
  expect((await service.quiesce('acme')).json['openHandles']).toBe(0)
  service.databases.get('bolt')?.close()
  const shm = openSync(`${service.fileOf('bolt')}-shm`, 'a+')
  expect((await service.quiesce('bolt')).json['openHandles']).toBe(1)
  closeSync(shm)
  closeSync(elsewhere)
  rmSync(other, { recursive: true })
})

test('a file that was replaced is named by the inode that is there now', async () => {
  await using service = await openTestGate({
    close: (id) => {
      const file = service.fileOf(id)
      writeFileSync(`${file}.new`, 'new')
      renameSync(`${file}.new`, file)
      service.actions.push('replaced')
    },
  })
  const before = (await service.quiesce('acme')).json['files'] as { size: number; ino: string }[]
  expect(before[0]?.size).toBe(3)
})

test('`close` may name files that the registry does not', async () => {
  await using service = await openTestGate({
    close: () => ({ files: [service.fileOf('acme'), { path: service.fileOf('bolt'), journalMode: 'delete' }] }),
  })
  expect((await service.quiesce('acme')).json['files']).toMatchObject([
    { path: service.fileOf('acme'), journalMode: 'unknown' },
    { path: service.fileOf('bolt'), journalMode: 'delete' },
  ])
})

test('I4.1: a kernel lease that a frozen holder keeps stalls neither the service nor its other tenants', async () => {
  await using service = await openTestGate({ limits: { reopenWaitMs: 100 } })
  await using holder = await startLeaseHolder(service.fileOf('acme'))
  expect((await service.quiesce('acme', { ttlMs: 150 })).status).toBe(201)
  await holder.take()
  await until(() => service.gate.stateOf('acme') === 'resuming', 'the lease of the service ends')
  // The event loop goes on: other tenants are served without delay, and the tenant says what it waits for.
  const startedAt = performance.now()
  expect(await service.gate.run('bolt', () => service.databases.get('bolt')?.prepare('select 1').pluck().get())).toBe(1)
  expect(performance.now() - startedAt).toBeLessThan(20_000) // The kernel would have it wait for 45 s.
  await until(
    async () => (await service.call('GET', '/tenants/acme')).json['healthy'] === false,
    'it says that something is wrong',
  )
  expect((await service.call('GET', '/tenants/acme')).json).toMatchObject({
    state: 'resuming',
    lastError: 'another process keeps a kernel lease on its files',
  })
  expect(service.actions).toEqual(['close acme'])
  await holder[Symbol.asyncDispose]()
  await until(() => service.gate.stateOf('acme') === 'active', 'it is taken up')
  expect((await service.call('GET', '/tenants/acme')).json).toMatchObject({ healthy: true, lastError: null })
  expect(service.databases.get('acme')?.open).toBe(true)
})

test('F1: the look for kernel leases never drops a lock of a handle that stayed open', async () => {
  await using service = await openTestGate({ close: () => {} })
  const forgotten = new Database(service.fileOf('acme'), { timeout: 0 })
  const { leaseId } = (await service.quiesce('acme')).json
  forgotten.pragma('journal_mode = delete')
  forgotten.exec('begin exclusive')
  // `open` of the test service would wait for that very lock.
  service.databases.set('acme', forgotten)
  expect((await service.call('DELETE', `/tenants/acme/quiesce/${leaseId}?fence=1`)).status).toBe(200)
  // Had the gate opened and closed the file, another process would now get in.
  const other = spawn(
    process.execPath,
    [
      '-e',
      `const D = require('better-sqlite3'); try { new D(process.argv[1], { timeout: 0 ` +
        `}).exec('begin immediate'); console.log('granted') } catch (e) { console.log(e.code) }`,
      service.fileOf('acme'),
    ],
    { cwd: process.cwd(), stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [said] = (await once(other.stdout, 'data')) as [Buffer]
  expect(String(said).trim()).toBe('SQLITE_BUSY')
  forgotten.exec('rollback')
})

async function startLeaseHolder(file: string): Promise<AsyncDisposable & { take(): Promise<void> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../support/programs/lease-holder.ts'), file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const heard = async (): Promise<string> => String((await once(child.stdout, 'data'))[0]).trim()
  expect(await heard()).toBe('ready')
  return {
    async take() {
      child.stdin.write('take\n')
      expect(await heard()).toBe('leased')
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    },
  }
}
