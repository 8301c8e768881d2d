/** Whether a live set is unlocked after a hold, as a second process sees it. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { expect } from 'vitest'
import { liveSetParts } from '../../../src/model/result/evidence.ts'
import { startOtherProcess } from '../host/other-process.ts'

export interface UnlockedCheck extends AsyncDisposable {
  /**
   * Expects that a second process gets the exclusive lock and a kernel lease on every part. Only for tenants whose
   * files the service has closed.
   */
  expect(file: string): Promise<void>
}

export async function openUnlockedCheck(): Promise<UnlockedCheck> {
  const other = await startOtherProcess()
  let last = Promise.resolve()
  const check = async (file: string): Promise<void> => {
    for (const part of liveSetParts) {
      if (!existsSync(file + part)) continue
      const descriptor = await other.open(file + part, 'write')
      const lock = await other.do({ do: 'lock', descriptor, owner: 'description', kind: 'write', start: 0, length: 0 })
      const lease = await other.do({ do: 'lease', descriptor })
      await other.do({ do: 'close', descriptor })
      expect({ file: file + part, lock, lease }).toEqual({ file: file + part, lock: 'granted', lease: 'granted' })
    }
  }
  return {
    // One at a time: a child is asked one question at a time.
    expect: (file) => {
      const mine = last.then(() => check(file))
      last = mine.catch(() => {})
      return mine
    },
    [Symbol.asyncDispose]: () => other[Symbol.asyncDispose](),
  }
}

/** Digest, times and identity of every part of a live set: what no hold, check or sweep may change. */
export function footprint(file: string): Readonly<Record<string, string>> {
  const prints: Record<string, string> = {}
  for (const part of liveSetParts) {
    if (!existsSync(file + part)) continue
    const { ino, size, mtimeNs, ctimeNs, nlink, mode } = statSync(file + part, { bigint: true })
    const digest = createHash('sha256')
      .update(readFileSync(file + part))
      .digest('hex')
    prints[part === '' ? 'main' : part] =
      `${digest} inode ${ino} size ${size} mtime ${mtimeNs} ctime ${ctimeNs} links ${nlink} mode ${mode}`
  }
  return prints
}
