/**
 * A run that has its folder and does nothing: `folder-owner.ts PARENT`. Prints the path of the folder, and ends with
 * its input.
 */
import { openSnapshotFolder } from '../../../src/hold/snapshot/temporary-folder.ts'

const folder = await openSnapshotFolder(process.argv[2] ?? null, null)
process.stdout.write(`${JSON.stringify({ path: folder.path })}\n`)
process.stdin.on('end', () => void folder[Symbol.asyncDispose]()).resume()
