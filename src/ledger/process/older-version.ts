/**
 * Ledgers of the first version. Their lines do not say of which service they are. Runs in the ledger's process only.
 */

import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type Database from 'better-sqlite3'
import { bareFiles, servicesIn } from '../folder.ts'
import { newestCheckSchema, schemaNames, schemaVersion, waySchema } from './schema.ts'

/** Tables, indexes and triggers that the first version did not have. */
const newNames = new Set(['way', 'way_by_name'])
export const namesOfFirstVersion: readonly string[] = schemaNames.filter((name) => !newNames.has(name))

/**
 * Gives the tables their present shape, in a transaction of the caller. No line is rewritten: all get row 0 of the
 * ways.
 */
export function migrate(database: Database.Database, file: string): void {
  database.exec(`
    alter table line add column way integer not null default 0;
    ${waySchema}
    drop trigger checked;
    alter table newest_check rename to newest_check_before;
    ${newestCheckSchema}
    insert into newest_check (tenant, path, way, sequence, settled)
      select tenant, path, 0, sequence, settled from newest_check_before;
    drop table newest_check_before;
    pragma user_version = ${schemaVersion};`)
  database.prepare('insert into way (id, service) values (0, ?)').run(onlyService(file))
}

/** For a reader: temporary views of the same names, which hide the tables of the file from this connection alone. */
export function readAsPresent(database: Database.Database, file: string): void {
  database.pragma('temp_store = memory')
  database.exec(`
    create temp table way (id integer primary key, service text, via text, address text, config text);
    create temp view line as select *, 0 as way from main.line;
    create temp view newest_check as select tenant, path, 0 as way, sequence, settled from main.newest_check;`)
  database.prepare('insert into temp.way (id, service) values (0, ?)').run(onlyService(file))
}

/**
 * Every run leaves the file of its run lock beside the ledger. If they name one service only, all lines are of it.
 * @returns null if they name several, or none
 */
function onlyService(file: string): string | null {
  const [service, ...others] = servicesIn(readdirSync(dirname(file))).filter((name) => name !== bareFiles)
  return service !== undefined && others.length === 0 ? service : null
}
