/** The databases that the names of a command line stand for: files, and folders of them. */
import { shellWord } from '../diagnosis/command.ts'
import { findDatabases, findDatabasesBelow, type FoundBelow } from '../hold/find-databases.ts'
import { isFolder } from '../hold/tell-file.ts'
import { Failure } from '../model/failure.ts'

export type FoundFiles = Pick<FoundBelow, 'databases' | 'unreadable' | 'links'>

/** Folders that are searched below one that was named. */
const foldersMax = 100_000
/** And where nobody asked for them, to say what could be asked for. */
const foldersGlanced = 1_000

/** @throws {Failure} USAGE for a folder that holds no database, or too many folders */
export async function databasesOf(names: readonly string[], recursive: boolean): Promise<FoundFiles> {
  const found = { databases: [] as string[], unreadable: [] as FoundBelow['unreadable'][number][], links: [] as string[] }
  for (const name of names) {
    const one = recursive && (await isFolder(name)) ? await allBelow(name) : { databases: await findDatabases(name), unreadable: [], links: [] }
    if (one.databases.length + one.unreadable.length === 0) throw await noDatabaseIn(name, recursive ? null : () => `type \`holdfast check --recursive ${shellWord(name)}\``)
    found.databases.push(...one.databases)
    found.unreadable.push(...one.unreadable)
    found.links.push(...one.links)
  }
  return found
}

async function allBelow(folder: string): Promise<FoundBelow> {
  const found = await findDatabasesBelow(folder, foldersMax)
  if (!found.whole) throw new Failure('USAGE', `${folder} has more than ${foldersMax} folders below it`, { hint: 'name folders further below' })
  return found
}

/** @param next what to do about a database that lies in a folder below; null where these were searched */
export async function noDatabaseIn(folder: string, next: ((below: string) => string) | null): Promise<Failure> {
  const [first] = next === null ? [] : (await findDatabasesBelow(folder, foldersGlanced, 1)).databases
  if (next === null || first === undefined) return new Failure('USAGE', `the folder ${folder} holds no database`, { hint: 'name the files themselves, or another folder' })
  return new Failure('USAGE', `the folder ${folder} holds no database itself; a folder below it does: ${first}`, { hint: next(first) })
}
