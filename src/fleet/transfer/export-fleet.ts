/** Writes the tables of the fleet to a file: JSON, one row a line. Each page is one statement of its own. */

import { createHash } from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { syncFolder } from '../../host/files/durable.ts'
import { onDisk } from '../../host/files/file-name.ts'
import type { FleetDatabase, QueryAnswer } from '../database/database.ts'
import { movedTables, transferSchema, type MovedRows, type MovedTable, type TransferEnd } from './moved-tables.ts'

export interface ExportResult {
  readonly rows: MovedRows
  readonly sha256: string
}

/**
 * What changes meanwhile may be in the file or not. If it fails, no file is left.
 * @param path of a file that does not exist; it gets mode 0600
 * @param version of the tables
 * @throws {Failure} FLEET_*; the failure of the system
 */
export async function exportFleet(
  database: FleetDatabase,
  path: string,
  version: number,
  signal: AbortSignal,
): Promise<ExportResult> {
  const attempt = { doing: 'write', path, elsewhere: 'name another file' }
  const file = await open(onDisk(path), 'wx', 0o600).catch((error: unknown) => {
    throw systemFailure(error, attempt)
  })
  try {
    await using _closed = file
    const moved = await writeTables(database, file, version, signal)
    await file.sync()
    await syncFolder(dirname(path))
    return moved
  } catch (error) {
    await rm(onDisk(path), { force: true })
    throw systemFailure(error, attempt)
  }
}

async function writeTables(
  database: FleetDatabase,
  file: FileHandle,
  version: number,
  signal: AbortSignal,
): Promise<ExportResult> {
  const digest = createHash('sha256')
  const rows: Record<string, number> = {}
  const write = async (lines: readonly string[]): Promise<void> => {
    const text = lines.map((line) => `${line}\n`).join('')
    digest.update(text)
    await file.write(text)
  }
  await write([JSON.stringify({ schema: transferSchema, version, exportedAt: new Date().toISOString() })])
  for (const table of movedTables) {
    rows[table.name] = 0
    for await (const page of pagesOf(database, table)) {
      signal.throwIfAborted()
      await write(page.map((row) => `{"table":"${table.name}","row":${row}}`))
      rows[table.name] = (rows[table.name] ?? 0) + page.length
    }
  }
  const end: TransferEnd = { end: true, rows, sha256: digest.digest('hex') }
  await file.write(`${JSON.stringify(end)}\n`)
  return end
}

/** The rows as the database writes them, so that no number loses digits. */
async function* pagesOf(database: FleetDatabase, { name, key, pageRows }: MovedTable): AsyncGenerator<string[]> {
  const columns = key.map(([column]) => column).join(', ')
  const after = key.map(([, type], at) => `$${at + 1}::${type}`).join(', ')
  const select = (where: string): string =>
    `select row_to_json(t)::text as row, ${key.map(([column], at) => `t.${column}::text as key_${at}`).join(', ')}
     from (select * from holdfast.${name} ${where} order by ${columns} limit ${pageRows}) t`
  for (let last: readonly unknown[] | null = null; ;) {
    const { rows }: QueryAnswer<PageRow> = await (last === null
      ? database.query<PageRow>(select(''))
      : database.query<PageRow>(select(`where (${columns}) > (${after})`), last))
    const end: PageRow | undefined = rows.at(-1)
    if (end === undefined) return
    yield rows.map(({ row }) => row)
    last = key.map((_, at) => end[`key_${at}`])
  }
}

type PageRow = { readonly row: string } & Readonly<Record<string, unknown>>
