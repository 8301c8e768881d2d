/** Reads the tables of the fleet from a file of `export-fleet.ts` into a database with our tables. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { systemFailure } from '../../host/failures/system-failure.ts'
import { onDisk } from '../../host/files/file-name.ts'
import { Failure, type FailureDetail } from '../../model/failure.ts'
import { jsonOrNull } from '../../text/json-text.ts'
import type { FleetDatabase } from '../database/database.ts'
import type { ExportResult } from './export-fleet.ts'
import { movedTables, transferSchema, type TransferEnd, type TransferHead, type TransferRow } from './moved-tables.ts'

/** Letters in one statement: a row with a report may be much larger than others. */
const batchLengthMax = 1_000_000
const batchRowsMax = 1000

/**
 * The file is first read wholly, and refused if it is not whole. Rows that are there already stay as they are, so an
 * import that broke off can be repeated.
 * @param version of the tables in the database
 * @returns the rows of the file
 * @throws {Failure} TRANSFER_BROKEN; FLEET_*; the failure of the system
 */
export async function importFleet(
  database: FleetDatabase,
  path: string,
  version: number,
  signal: AbortSignal,
): Promise<ExportResult> {
  try {
    const end = await verify(path, version, signal)
    // Agents of the old database may still have its slots, so this one grants none until it was watched.
    await database.query('select holdfast.pause_doubt(0)')
    const batch: string[] = []
    let table = ''
    let length = 0
    const flush = async (): Promise<void> => {
      if (batch.length > 0) await insert(database, table, batch)
      batch.length = 0
      length = 0
    }
    for await (const line of linesOf(path)) {
      signal.throwIfAborted()
      const message = JSON.parse(line) as Partial<TransferRow>
      if (message.table === undefined) continue
      if (message.table !== table || batch.length === batchRowsMax || length > batchLengthMax) await flush()
      table = message.table
      const row = line.slice(line.indexOf('"row":') + '"row":'.length, -1)
      batch.push(row)
      length += row.length
    }
    await flush()
    return end
  } catch (error) {
    throw systemFailure(error, { doing: 'read', path })
  }
}

/** @throws {Failure} TRANSFER_BROKEN */
async function verify(path: string, version: number, signal: AbortSignal): Promise<TransferEnd> {
  const broken: FailureMaker = (why, detail) => new Failure('TRANSFER_BROKEN', `${path}: ${why}`, detail)
  const known = new Set(movedTables.map(({ name }) => name))
  const digest = createHash('sha256')
  let end: TransferEnd | null = null
  let number = 0
  for await (const line of linesOf(path)) {
    signal.throwIfAborted()
    number += 1
    if (end !== null) throw broken('lines follow its end')
    const message = parseLine(line)
    if (message === null) throw broken(`line ${number} is no line of an export`)
    if ('end' in message) {
      end = message
      continue
    }
    digest.update(`${line}\n`)
    if (number === 1) requireHead(message, version, broken)
    else if (!('table' in message) || !known.has(message.table)) throw broken(`line ${number} names no known table`)
  }
  if (end === null) throw broken('its end is missing, so the export was not finished')
  if (end.sha256 !== digest.digest('hex')) throw broken('its lines are not as they were written: the digest differs')
  return end
}

type FailureMaker = (why: string, detail?: FailureDetail) => Failure

function requireHead(message: object, version: number, broken: FailureMaker): void {
  const head = message as Partial<TransferHead>
  if (head.schema !== transferSchema) throw broken('it is no export of a fleet')
  if (head.version !== version)
    throw broken(`it is from tables of version ${head.version}, and this database has version ${version}`, {
      hint: 'nothing was imported; export and import with the same version of holdfast',
    })
}

type TransferLine = TransferHead | TransferRow | TransferEnd

function parseLine(line: string): TransferLine | null {
  const message = jsonOrNull(line)
  return typeof message === 'object' && message !== null && !Array.isArray(message) ? (message as TransferLine) : null
}

const linesOf = (path: string): AsyncIterable<string> =>
  createInterface({ input: createReadStream(onDisk(path), 'utf8'), crlfDelay: Infinity })

/** `table` is one of ours: `verify` has compared it. */
async function insert(database: FleetDatabase, table: string, rows: readonly string[]): Promise<void> {
  const array = `[${rows.join(',')}]`
  if (table === 'result')
    await database.query(
      `select holdfast.result_week(week) from (
         select distinct (row->>'week')::date as week from jsonb_array_elements($1::jsonb) row) weeks`,
      [array],
    )
  await database.query(
    `insert into holdfast.${table} select * from jsonb_populate_recordset(null::holdfast.${table}, $1::jsonb)
     on conflict do nothing`,
    [array],
  )
}
