/** Makes a rollback journal part of a transaction over several databases. */
import { readFileSync, writeFileSync } from 'node:fs'

/** SQLite's own trailer (pager.c, writeSuperJournal): lock-byte page, name, its length, the sum of its bytes, magic. */
export function appendTrailer(journal: string, name: string | Buffer): void {
  const bytes = typeof name === 'string' ? Buffer.from(name) : name
  const trailer = Buffer.alloc(4 + bytes.length + 8)
  trailer.writeUInt32BE(0x40000000 / 4096 + 1, 0)
  bytes.copy(trailer, 4)
  trailer.writeUInt32BE(bytes.length, 4 + bytes.length)
  trailer.writeUInt32BE(
    bytes.reduce((sum, byte) => sum + byte, 0),
    8 + bytes.length,
  )
  const whole = readFileSync(journal)
  // At the next sector, where SQLite puts it.
  const padding = Buffer.alloc((512 - (whole.length % 512)) % 512)
  writeFileSync(
    journal,
    Buffer.concat([whole, padding, trailer, Buffer.from([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7])]),
  )
}
