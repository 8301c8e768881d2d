/** Whether there is room for everything that a change writes. Asked before anything is written. */
import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemFailure } from '../../../host/failures/system-failure.ts'
import { onDisk } from '../../../host/files/file-name.ts'
import { Failure } from '../../../model/failure.ts'
import type { LiveSetPart } from '../../../model/result/evidence.ts'
import { humanBytes } from '../../../text/units.ts'

export interface ChangedBytes {
  /** Of the main file. */
  readonly mainBytes: number
  /** Of WAL and journal. */
  readonly companionBytes: number
  readonly mendedBytes: number
}

/** In the folder of the original: the whole set, and what SQLite makes of it if that is another file. */
export const keptBytes = ({ mainBytes, companionBytes }: ChangedBytes): number =>
  companionBytes === 0 ? mainBytes : 2 * (mainBytes + companionBytes)

/** Beside the live file: the mended file; the settled one if there is a WAL or a journal. */
export const besideBytes = ({ mainBytes, companionBytes, mendedBytes }: ChangedBytes): number =>
  mendedBytes + (companionBytes === 0 ? 0 : mainBytes + companionBytes)

/** As a hold does, a change leaves this to the service. */
const marginBytes = 16 * 1024 * 1024

/** What a change may write for a live set, by its snapshot. */
export function changedBytesOf({ path, snapshot: { files } }: LiveSetBytes): ChangedBytes & { readonly path: string } {
  const mainBytes = files.find(({ part }) => part === '')?.bytes ?? 0
  const companionBytes = files.reduce((sum, { part, bytes }) => sum + (part === '' ? 0 : bytes), 0)
  return { path, mainBytes, companionBytes, mendedBytes: mainBytes + companionBytes }
}

interface LiveSetBytes {
  readonly path: string
  readonly snapshot: { readonly files: readonly { readonly part: LiveSetPart; readonly bytes: number }[] }
}

/**
 * @param folder of the original
 * @throws {Failure} NO_SPACE
 */
export function requireSpaceForChange(
  folder: string,
  files: readonly (ChangedBytes & { readonly path: string })[],
): void {
  const needed = new Map<string, { readonly folder: string; bytes: number }>()
  const add = (where: string, bytes: number): void => {
    const { dev } = onFolder(where, () => statSync(onDisk(where), { bigint: true }))
    const known = needed.get(String(dev))
    if (known === undefined) needed.set(String(dev), { folder: where, bytes })
    else known.bytes += bytes
  }
  for (const file of files) {
    add(folder, keptBytes(file))
    add(dirname(file.path), besideBytes(file))
  }
  for (const { folder: where, bytes } of needed.values()) {
    const { bavail, bsize } = onFolder(where, () => statfsSync(onDisk(where)))
    const free = bavail * bsize
    if (free >= bytes + marginBytes) continue
    throw new Failure(
      'NO_SPACE',
      `no room for the original: it, and the file that takes its place, need ${humanBytes(bytes)} and a margin of ` +
        `${humanBytes(marginBytes)}; ${where} has ${humanBytes(free)} free`,
      {
        tenant: 'untouched',
        hint: 'free space there, or keep originals on another disk: quarantine.dir (for files: `--quarantine DIR`)',
      },
    )
  }
}

function onFolder<Value>(path: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw systemFailure(error, { doing: 'see how much is free in', path, tenant: 'untouched' })
  }
}
