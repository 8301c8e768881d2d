/** What a writer leaves in the WAL that dies between its commit frame and its entry in the wal-index. */
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { frameBytesOf, frameChecksum, readWalHeader, WalScan } from '../../../src/sqlite/wal/wal.ts'

/**
 * Five valid frames with a commit at their end, behind what the wal-index calls committed: what a writer leaves that is
 * killed at the wrong moment.
 */
export function appendDeadTransaction(wal: string): void {
  const bytes = readFileSync(wal)
  const header = readWalHeader(bytes)
  if (!header) throw new Error('no WAL')
  const scan = new WalScan(header)
  scan.feed(bytes.subarray(32))
  let checksum = scan.checksum
  const frameBytes = frameBytesOf(header)
  const last = bytes.subarray(scan.state.validEnd - frameBytes, scan.state.validEnd)
  const descriptor = openSync(wal, 'r+')
  try {
    for (let at = 0; at < 5; at++) {
      const frame = Buffer.from(last)
      frame.writeUInt32BE(at === 4 ? (scan.state.pageCountAfterCommit ?? 0) : 0, 4)
      checksum = frameChecksum(new DataView(frame.buffer, frame.byteOffset, frame.length), 0, header, checksum)
      frame.writeUInt32BE(checksum[0], 16)
      frame.writeUInt32BE(checksum[1], 20)
      writeSync(descriptor, frame, 0, frameBytes, scan.state.validEnd + at * frameBytes)
    }
  } finally {
    closeSync(descriptor)
  }
  if (statSync(wal).size !== scan.state.validEnd + 5 * frameBytes)
    throw new Error('the dead transaction does not lie where it should')
}
