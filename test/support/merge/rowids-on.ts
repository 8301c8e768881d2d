import type { EditableDatabase } from '../databases/surgeon.ts'

/** The rowids on a leaf of a table, by the test's own reading. */
export function rowidsOn(database: EditableDatabase, page: number): readonly string[] {
  const bytes = database.read(page)
  const { pointers, cellCount } = database.bTree(page)
  return Array.from({ length: cellCount }, (_, i) => {
    let at = bytes.readUInt16BE(pointers + 2 * i)
    while ((bytes[at++] ?? 0) >= 0x80); // The length of the payload.
    let id = 0n
    for (;;) {
      const byte = bytes[at++] ?? 0
      id = (id << 7n) | BigInt(byte & 0x7f)
      if (byte < 0x80) return String(id)
    }
  })
}
