/** Salvages a table of 200 rows, `t(id, a, b)`, after a wound. */
import Database from 'better-sqlite3'
import type { Folder } from '../cli/folder.ts'
import { create } from '../databases/create-database.ts'
import { EditableDatabase } from '../databases/surgeon.ts'
import { salvageInProcess, salvageNames } from './salvage-in-process.ts'

/** @param schema makes `t`. Row `i` has the id `i`, the name that `nameOf` gives, and `i / 8`. */
export function salvageWounded(
  folder: Folder,
  schema: string,
  wound: (database: EditableDatabase) => void,
  nameOf: (id: number) => string = (id) => `name${String(id).padStart(4, '0')}`,
): ReturnType<typeof salvageInProcess> {
  create(folder.in(salvageNames.damaged), 1024, (db) => {
    db.exec(schema)
    const insert = db.prepare('INSERT INTO t VALUES(?, ?, ?)')
    db.transaction(() => {
      for (let id = 1; id <= 200; id++) insert.run(id, nameOf(id), id / 8)
    })()
  })
  {
    using database = new EditableDatabase(folder.in(salvageNames.damaged))
    wound(database)
  }
  return salvageInProcess(folder)
}

/** Changes a text in the pages of one tree, and in no other. */
export const replaceText =
  (tree: string, from: string, to: string) =>
  (database: EditableDatabase): void => {
    for (const page of database.pages(tree))
      database.edit(page, (bytes) => {
        const at = bytes.indexOf(from)
        if (at >= 0) bytes.write(to, at)
      })
  }

/** Rows of the new file. */
export function selectSalvaged(folder: Folder, sql: string): readonly unknown[] {
  const database = new Database(folder.in(salvageNames.result), { readonly: true })
  try {
    return database.prepare(sql).raw().all()
  } finally {
    database.close()
  }
}
