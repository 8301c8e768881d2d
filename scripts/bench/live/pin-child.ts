/**
 * Takes the locks of a pin, keeps them for a time, and copies nothing: `pin-child.ts FILE MS`. So what the locks alone
 * cost can be told from what the copy costs.
 */
import { closeSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { tryLock, type ByteRange } from '../../../src/host/locks/byte-lock.ts'
import { lockBytes, shmLockBytes } from '../../../src/sqlite/lock-bytes.ts'

const [file = '', ms = ''] = process.argv.slice(2)
const database = openSync(file, 'r+')
const shm = openSync(`${file}-shm`, 'r+')
const at = (start: number): ByteRange => ({ start, length: 1 })
for (;;) {
  const taken =
    tryLock(database, 'read', lockBytes.shared) === 'granted' &&
    tryLock(shm, 'read', at(shmLockBytes.deadManSwitch)) === 'granted' &&
    tryLock(shm, 'write', at(shmLockBytes.checkpoint)) === 'granted' &&
    tryLock(shm, 'read', at(shmLockBytes.readMark(1))) === 'granted'
  if (taken) break
  await sleep(1)
}
await sleep(Number(ms))
closeSync(shm)
closeSync(database)
