/**
 * Compresses a database. A large one is compressed in a child process of low priority. A service shares the machine,
 * and a tenant may be paused by this process meanwhile. A small one takes less time than the start of a child.
 */
import type { FileHandle } from 'node:fs/promises'
import { ChildEndError, startChild } from '../host/process/child.ts'
import { programBeside } from '../host/process/program-beside.ts'
import { Failure } from '../model/failure.ts'
import { compressAndReadBack, type CompressedFile, type ReadBackResult } from './compression.ts'

export interface CompressQuestion {
  readonly from: string
  readonly to: string
}

interface NamedFile {
  readonly file: FileHandle
  readonly path: string
}

/** Larger files are compressed by a child, whose start takes about as long as compressing so many bytes. */
const inProcessBytesMax = 16_000_000
const niceness = 10
const memoryBytesMax = 1_000_000_000
/** A rate that any disk reaches. A child that is slower hangs. */
const bytesPerMsMin = 500
const timeoutMsMin = 10 * 60_000

/**
 * @param to empty, and readable
 * @throws {Failure} BACKUP_BROKEN if what was written did not come back; the reason of the signal
 */
export async function compressWhole(from: NamedFile, to: NamedFile, signal: AbortSignal): Promise<CompressedFile> {
  const { size } = await from.file.stat()
  const { compressed, whole } =
    size <= inProcessBytesMax
      ? await compressAndReadBack(from.file, to.file, signal)
      : await compressInChild({ from: from.path, to: to.path }, size, signal)
  if (whole) return compressed
  throw new Failure('BACKUP_BROKEN', `what was written to ${to.path} did not come back as it was written`, {
    hint: 'suspect the disk of backups.dir, or the memory of this machine; nothing was kept',
  })
}

async function compressInChild(question: CompressQuestion, size: number, signal: AbortSignal): Promise<ReadBackResult> {
  signal.throwIfAborted()
  const options = { ownSession: true, niceness, memoryBytesMax, env: {}, youngMegabytesMax: 2 }
  await using child = await startChild<CompressQuestion, ReadBackResult>(
    programBeside(import.meta.url, 'compress-child'),
    options,
  )
  const stop = (): void => child.kill()
  signal.addEventListener('abort', stop)
  try {
    return await child.ask(question, { timeoutMs: Math.max(timeoutMsMin, size / bytesPerMsMin) })
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof ChildEndError)) throw error
    throw new Failure('READ_FAILED', `the process that compressed ${question.from} ended: ${error.message}`, {
      cause: error,
      hint: 'the kernel may have killed it for memory: `dmesg` shows that; the next run tries again',
    })
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
