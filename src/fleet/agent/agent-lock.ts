/** One agent at a time on this machine: a lock of the kernel on a file beside the outbox. It ends with its process. */

import { constants } from 'node:fs'
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { tryLock } from '../../host/locks/byte-lock.ts'
import { ofLedger, prepareFolder } from '../../ledger/folder.ts'
import { Failure } from '../../model/failure.ts'
import { outboxFolder } from '../results/outbox-file.ts'

/** @throws {Failure} FLEET_AGENT_ACTIVE, LEDGER_UNUSABLE */
export async function takeAgentLock(ledgerDir: string): Promise<AsyncDisposable> {
  await prepareFolder(ledgerDir)
  const folder = outboxFolder(ledgerDir)
  const path = join(folder, 'agent.lock')
  try {
    await mkdir(folder, { mode: 0o700, recursive: true })
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants
    const file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
    if (await isGranted(file)) return { [Symbol.asyncDispose]: () => file.close() }
  } catch (error) {
    throw systemFailure(error, { doing: 'take the lock of the agent', path, ...ofLedger })
  }
  throw new Failure('FLEET_AGENT_ACTIVE', `another agent works with ${folder}`)
}

async function isGranted(file: FileHandle): Promise<boolean> {
  let granted = false
  try {
    granted = tryLock(file.fd, 'write', { start: 0, length: 1 }) === 'granted'
    return granted
  } finally {
    if (!granted) await file.close()
  }
}
