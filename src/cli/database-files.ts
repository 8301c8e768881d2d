/** The databases that the names of a command line stand for: files, and folders of them. */
import { findDatabases, findDatabasesBelow, type DatabasesBelow } from '../hold/live/find-databases.ts'
import { isFolder } from '../host/files/path-kind.ts'
import { Failure } from '../model/failure.ts'
import { shellWord } from '../text/shell-words.ts'

export type FoundFiles = Pick<DatabasesBelow, 'databases' | 'unreadable' | 'links'>

/** Folders that are searched below a named one. */
const foldersMax = 100_000
/** The same for the hint that names a database in a folder below. */
const foldersForHintMax = 1_000

/** @throws {Failure} USAGE for a folder that holds no database, or too many folders */
export async function databasesOf(names: readonly string[], recursive: boolean): Promise<FoundFiles> {
  const found: FoundFiles[] = []
  for (const name of names) {
    const one = await databasesIn(name, recursive)
    if (one.databases.length + one.unreadable.length === 0) {
      throw await noDatabaseIn(name, recursive ? null : () => `type \`holdfast check --recursive ${shellWord(name)}\``)
    }
    found.push(one)
  }
  return {
    databases: found.flatMap(({ databases }) => databases),
    unreadable: found.flatMap(({ unreadable }) => unreadable),
    links: found.flatMap(({ links }) => links),
  }
}

async function databasesIn(name: string, recursive: boolean): Promise<FoundFiles> {
  if (recursive && (await isFolder(name))) return allBelow(name)
  return { databases: await findDatabases(name), unreadable: [], links: [] }
}

async function allBelow(folder: string): Promise<DatabasesBelow> {
  const found = await findDatabasesBelow(folder, foldersMax)
  if (found.whole) return found
  const why = `${folder} has more than ${foldersMax} folders below it`
  throw new Failure('USAGE', why, { hint: 'name folders further below' })
}

/** @param next the hint for a database in a folder below; null if these folders were searched as well */
export async function noDatabaseIn(folder: string, next: ((below: string) => string) | null): Promise<Failure> {
  const [first] = next === null ? [] : (await findDatabasesBelow(folder, foldersForHintMax, 1)).databases
  const why = `the folder ${folder} holds no database`
  if (next !== null && first !== undefined) {
    return new Failure('USAGE', `${why} itself; a folder below it does: ${first}`, { hint: next(first) })
  }
  return new Failure('USAGE', why, { hint: 'name the files themselves, or another folder' })
}
