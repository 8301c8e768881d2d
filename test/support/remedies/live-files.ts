/** The parts of a live set as bytes, and what belongs to the inode of its main file. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import koffi from 'koffi'

const partNames = ['', '-wal', '-journal'] as const
type PartName = (typeof partNames)[number]

/** Bytes of each part that is there. */
export type BytesOfParts = ReadonlyMap<PartName, Buffer>

export const bytesOf = (path: string): BytesOfParts =>
  new Map(partNames.filter((part) => existsSync(path + part)).map((part) => [part, readFileSync(path + part)]))

/** @returns the parts that differ, with their sizes; empty if both have the same bytes. An empty part is no part. */
export function differentParts(expected: BytesOfParts, found: BytesOfParts): readonly string[] {
  const none = Buffer.alloc(0)
  return partNames.flatMap((part) => {
    const [before, after] = [expected.get(part) ?? none, found.get(part) ?? none]
    return before.equals(after) ? [] : [`${part || 'main file'}: ${describe(after)} instead of ${describe(before)}`]
  })
}

/** Header bytes that every transaction of SQLite moves: an undo in place cannot bring them back. */
const movingBytes = [
  [24, 28],
  [40, 44],
  [92, 100],
] as const

/** The same parts with zeroes in the header bytes that every transaction moves. */
export function withoutMovingBytes(bytes: BytesOfParts): BytesOfParts {
  return new Map(
    [...bytes].map(([part, content]) => {
      const copy = Buffer.from(content)
      if (part === '') for (const [from, to] of movingBytes) copy.fill(0, from, to)
      return [part, copy]
    }),
  )
}

const describe = (bytes: Buffer): string =>
  bytes.length === 0
    ? 'nothing'
    : `${bytes.length} bytes ${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}`

export interface InodeAttributes {
  readonly uid: number
  readonly gid: number
  readonly mode: string
  /** By name, in hexadecimal digits. POSIX ACLs are among them. */
  readonly xattrs: Readonly<Record<string, string>>
}

export function attributesOf(path: string): InodeAttributes {
  const { uid, gid, mode } = statSync(path)
  return { uid, gid, mode: mode.toString(8), xattrs: readXattrs(path) }
}

const library = koffi.load(null)
const setxattr = library.func(
  'int setxattr(const char *path, const char *name, const uint8_t *value, size_t size, int flags)',
)
const getxattr = library.func('int64_t getxattr(const char *path, const char *name, _Out_ uint8_t *value, size_t size)')
const listxattr = library.func('int64_t listxattr(const char *path, _Out_ uint8_t *list, size_t size)')

/** @throws with the errno if the file system cannot store it */
export function setXattr(path: string, name: string, value: Uint8Array): void {
  if (setxattr(path, name, value, value.length, 0) !== 0)
    throw new Error(`setxattr ${name} of ${path} failed: errno ${koffi.errno()}`)
}

function readXattrs(path: string): Readonly<Record<string, string>> {
  const list = Buffer.alloc(65_536)
  const length = Number(listxattr(path, list, list.length))
  const names = list.toString('utf8', 0, Math.max(0, length)).split('\0').filter(Boolean)
  return Object.fromEntries(
    names.toSorted().map((name) => {
      const value = Buffer.alloc(65_536)
      const size = Number(getxattr(path, name, value, value.length))
      return [name, value.toString('hex', 0, Math.max(0, size))]
    }),
  )
}

/** An ACL that gives another user the right to read: version 2, then tag, permissions and id of each entry. */
export function aclWithReader(uid: number): Uint8Array {
  const entries = [
    [0x01, 6, 0xffffffff], // the owner
    [0x02, 4, uid], // one more user
    [0x04, 4, 0xffffffff], // the group
    [0x10, 4, 0xffffffff], // the mask
    [0x20, 0, 0xffffffff], // all others
  ] as const
  const bytes = Buffer.alloc(4 + 8 * entries.length)
  bytes.writeUInt32LE(2, 0)
  entries.forEach(([tag, permissions, id], i) => {
    bytes.writeUInt16LE(tag, 4 + 8 * i)
    bytes.writeUInt16LE(permissions, 6 + 8 * i)
    bytes.writeUInt32LE(id, 8 + 8 * i)
  })
  return bytes
}
