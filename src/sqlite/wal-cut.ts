/**
 * A WAL that was cut: commits that were written are dropped without a word, because one frame before them no longer agrees with its checksum.
 *
 * Invalid frames at the end are healthy as such: a crash in a transaction, frames of a transaction that was rolled back, an older generation. What sets damage
 * apart is that the chain of checksums goes on behind the bad frame and reaches a commit: a writer went on from it, so it was right once. Frames of
 * a transaction that was rolled back chain too, but never carry a commit mark.
 */
import { read32 } from './bytes.ts'
import { viewOf } from './wal-checksum.ts'
import type { Checksum } from './wal-checksum.ts'
import { frameBytesOf, frameChecksum, walHeaderBytes } from './wal.ts'
import type { WalHeader, WalScanState } from './wal.ts'

export interface WalCut {
  /** The first bad frame, counted from 1, and its byte offset. */
  readonly frame: number
  readonly offset: number
  /** Intact frames of the same chain behind it. */
  readonly framesBehind: number
}

/**
 * @param checksumBefore checksum up to the last valid frame (`WalScan.checksum`)
 * @param read the frame at that byte offset, or null where the file ends before it does
 */
export function findWalCut(header: WalHeader, state: WalScanState, checksumBefore: Checksum, read: (offset: number, bytes: number) => Uint8Array | null): WalCut | null {
  if (state.stopped !== 'checksum' && state.stopped !== 'salts') return null
  const frameBytes = frameBytesOf(header)
  const bad = read(state.validEnd, frameBytes)
  if (bad === null) return null
  // Either the content was hit, then the stored checksum still is right; or the checksum was, then the computed one is.
  const stored: Checksum = [read32(bad, 16), read32(bad, 20)]
  const computed = frameChecksum(viewOf(bad), 0, header, checksumBefore)
  const badCommits = read32(bad, 4) !== 0
  for (const seed of [stored, computed]) {
    const behind = followChain(header, state.validEnd + frameBytes, seed, read)
    if (behind.frames > 0 && (behind.commits || badCommits)) return { frame: (state.validEnd - walHeaderBytes) / frameBytes + 1, offset: state.validEnd, framesBehind: behind.frames }
  }
  return null
}

function followChain(header: WalHeader, from: number, seed: Checksum, read: (offset: number, bytes: number) => Uint8Array | null): { readonly frames: number; readonly commits: boolean } {
  const frameBytes = frameBytesOf(header)
  let checksum = seed
  let frames = 0
  let commits = false
  for (let offset = from; ; offset += frameBytes) {
    const frame = read(offset, frameBytes)
    if (frame === null || read32(frame, 0) === 0 || read32(frame, 8) !== header.salt1 || read32(frame, 12) !== header.salt2) return { frames, commits }
    checksum = frameChecksum(viewOf(frame), 0, header, checksum)
    if (checksum[0] !== read32(frame, 16) || checksum[1] !== read32(frame, 20)) return { frames, commits }
    frames++
    commits ||= read32(frame, 4) !== 0
  }
}
