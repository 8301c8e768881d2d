/** Writes files into a compressed tar archive, piece by piece: `tar -xzf` and every file manager open it. */
import { Buffer } from 'node:buffer'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { Header } from 'tar'
import { invariant } from '../../model/bug.ts'
import type { BundleFile } from './bundle-file.ts'

const blockBytes = 512
/** Two empty blocks end an archive. */
const end = Buffer.alloc(2 * blockBytes)

/** @param folder that the files are in */
export async function writeArchive(descriptor: number, folder: string, files: readonly BundleFile[]): Promise<void> {
  const target = createWriteStream('', { fd: descriptor, autoClose: false, start: 0 })
  await pipeline(Readable.from(piecesOf(folder, files)), createGzip(), target)
}

function* piecesOf(folder: string, files: readonly BundleFile[]): Generator<Uint8Array> {
  const mtime = new Date()
  for (const { name, bytes, pieces } of files) {
    const block = Buffer.alloc(blockBytes)
    const header = new Header({ path: `${folder}/${name}`, mode: 0o600, size: bytes, mtime, type: 'File' })
    const needsMore = header.encode(block, 0)
    invariant(!needsMore, 'names and sizes in a bundle fit into the header of a tar archive')
    yield block
    let written = 0
    for (const piece of pieces()) {
      const buffer = Buffer.from(piece)
      written += buffer.length
      yield buffer
    }
    invariant(written === bytes, `${name} has as many bytes as were counted`)
    yield Buffer.alloc((blockBytes - (written % blockBytes)) % blockBytes)
  }
  yield end
}
