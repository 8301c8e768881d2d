import { createHash } from 'node:crypto'
/** After a hold, however it went: is the live set free, as a second process sees it? */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { expect } from 'vitest'
import { liveSetParts } from '../../../src/model/result/evidence.ts'
import { startOtherProcess } from '../host/other-process.ts'

export interface Freedom extends AsyncDisposable {
  /**
   * A second process gets the exclusive lock and a kernel lease on every part. For tenants that the service keeps
   * closed while nobody asks.
   */
  expect(file: string): Promise<void>
}

export async function openFreedom(): Promise<Freedom> {
  const stranger = await startOtherProcess()
  let last = Promise.resolve()
  const look = async (file: string): Promise<void> => {
    for (const part of liveSetParts) {
      if (!existsSync(file + part)) continue
      const descriptor = await stranger.open(file + part, 'write')
      const lock = await stranger.do({
        do: 'lock',
        descriptor,
        owner: 'description',
        kind: 'write',
        start: 0,
        length: 0,
      })
      const lease = await stranger.do({ do: 'lease', descriptor })
      await stranger.do({ do: 'close', descriptor })
      expect({ file: file + part, lock, lease }).toEqual({ file: file + part, lock: 'granted', lease: 'granted' })
    }
  }
  return {
    // One at a time: a child is asked one question at a time.
    expect: (file) => {
      const mine = last.then(() => look(file))
      last = mine.catch(() => {})
      return mine
    },
    [Symbol.asyncDispose]: () => stranger[Symbol.asyncDispose](),
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
