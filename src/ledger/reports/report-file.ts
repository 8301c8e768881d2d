/**
 * The file of a kept report: a heading, then the lines of the report in zstd frames. Before each frame stands its
 * length, in a skippable frame as pzstd writes it, so `zstd -dc` prints the whole report. Files are read piece by
 * piece: memory does not grow with the number of tenants.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { constants as zlib, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { onDisk } from '../../host/files/file-name.ts'
import { Failure } from '../../model/failure.ts'
import { jsonOrNull } from '../../text/json-text.ts'

/** What is known of a report without reading it. */
export interface ReportHeading {
  readonly schema: 'holdfast.kept/1'
  readonly service: string
  readonly run: string
  /** null if the run belongs to no incident. */
  readonly incident: string | null
  readonly mode: string
  /** The schema of the report, such as holdfast.report/1. */
  readonly document: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly exitCode: number
}

/** Magic numbers of skippable frames, which readers of zstd ignore. */
const headingMagic = 0x184d2a51
const lengthMagic = 0x184d2a50
const skippableBytes = 8
const headingBytesMax = 4096
/** A frame has whole lines, and about so many bytes before it is compressed. */
const pieceBytes = 1024 * 1024
/** Bounds of what is read, whatever a damaged file says. */
const frameBytesMax = 64 * 1024 * 1024
const plainBytesMax = 256 * 1024 * 1024

/** The bytes of the file. @param lines each without its line feed */
export function* reportBytes(heading: ReportHeading, lines: Iterable<string>): Generator<Uint8Array> {
  yield skippable(headingMagic, Buffer.from(withChecksum(JSON.stringify(heading))))
  let piece: string[] = []
  let length = 0
  for (const line of lines) {
    piece.push(line, '\n')
    length += line.length
    if (length < pieceBytes) continue
    yield* frameOf(piece.join(''))
    piece = []
    length = 0
  }
  if (piece.length > 0) yield* frameOf(piece.join(''))
}

/** A text with its checksum: zstd has none for skippable frames. */
const withChecksum = (text: string): string => `${crc32(text).toString(16).padStart(8, '0')} ${text}`

function* frameOf(text: string): Generator<Uint8Array> {
  const frame = zstdCompressSync(Buffer.from(text), {
    params: { [zlib.ZSTD_c_compressionLevel]: 3, [zlib.ZSTD_c_checksumFlag]: 1 },
  })
  const length = Buffer.alloc(4)
  length.writeUInt32LE(frame.length)
  yield skippable(lengthMagic, length)
  yield frame
}

function skippable(magic: number, content: Buffer): Buffer {
  const start = Buffer.alloc(skippableBytes)
  start.writeUInt32LE(magic)
  start.writeUInt32LE(content.length, 4)
  return Buffer.concat([start, content])
}

/** @throws {Failure} REPORT_BROKEN; the error of open or read */
export function readHeading(path: string): ReportHeading {
  using file = openReport(path)
  return headingOf(file)
}

/** The lines of the report, as they were written. @throws {Failure} REPORT_BROKEN; the error of open or read */
export function* readReportLines(path: string): Generator<string> {
  using file = openReport(path)
  headingOf(file)
  while (!file.atEnd) {
    const length = file.skippable(lengthMagic, 4).readUInt32LE()
    if (length > frameBytesMax) throw brokenFailure(path, 'a part of it is too long')
    const text = decompressFrame(path, file.read(length))
    for (let at = 0; at < text.length;) {
      const end = text.indexOf('\n', at)
      if (end < 0) throw brokenFailure(path, 'a line of it has no end')
      yield text.slice(at, end)
      at = end + 1
    }
  }
}

interface OpenReport extends Disposable {
  readonly path: string
  readonly atEnd: boolean
  /** Reads exactly so many bytes, at most `frameBytesMax`. */
  read(length: number): Buffer
  /** The content of a skippable frame. */
  skippable(magic: number, contentMax: number): Buffer
}

function openReport(path: string): OpenReport {
  const descriptor = openSync(onDisk(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const found = fstatSync(descriptor)
  let position = 0
  const read = (length: number): Buffer => {
    const bytes = Buffer.alloc(length)
    for (let done = 0; done < length;) {
      const more = readSync(descriptor, bytes, done, length - done, position)
      if (more === 0) throw brokenFailure(path, 'it was cut')
      done += more
      position += more
    }
    return bytes
  }
  const file: OpenReport = {
    path,
    get atEnd() {
      return position >= found.size
    },
    read,
    skippable: (magic, contentMax) => {
      const start = read(skippableBytes)
      const length = start.readUInt32LE(4)
      if (start.readUInt32LE() !== magic || length > contentMax)
        throw brokenFailure(path, 'holdfast did not write it so')
      return read(length)
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  }
  if (found.isFile()) return file
  file[Symbol.dispose]()
  throw brokenFailure(path, 'it is not a regular file')
}

function headingOf(file: OpenReport): ReportHeading {
  const text = file.skippable(headingMagic, headingBytesMax).toString()
  const json = text.slice(9)
  const heading = (withChecksum(json) === text ? jsonOrNull(json) : null) as Partial<ReportHeading> | null
  if (heading?.schema !== 'holdfast.kept/1' || typeof heading.run !== 'string' || typeof heading.service !== 'string')
    throw brokenFailure(file.path, 'its heading is damaged')
  return heading as ReportHeading
}

function decompressFrame(path: string, frame: Buffer): string {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: plainBytesMax }).toString()
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code.startsWith('ZSTD_') || code === 'ERR_BUFFER_TOO_LARGE' || code === 'Z_BUF_ERROR')
      throw brokenFailure(path, 'its compressed data is damaged', error)
    throw error
  }
}

const brokenFailure = (path: string, why: string, cause?: unknown): Failure =>
  new Failure('REPORT_BROKEN', `the kept report ${path} cannot be read: ${why}`, { cause })
