/** Shows the account of a remedy: what became of the rows of each table. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Account } from '../../src/model/result/account.ts'

/** @throws {Error} if there is none */
export function newestAccount(folder: string): Account {
  const [newest] = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(folder, name))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  if (newest === undefined) throw new Error(`no account in ${folder}`)
  return JSON.parse(readFileSync(newest, 'utf8')) as Account
}

export function showAccount({ tables, dropped = [] }: Account, say: (text: string) => void): void {
  for (const { table, kept, added, conflicting, deleted, unreadable, orphaned } of tables) {
    const parts = [
      `${kept} rows kept`,
      `${added.total} newer rows added`,
      `${conflicting.total} in conflict`,
      `${deleted.total} deleted`,
      `${unreadable.total} unreadable`,
      `${orphaned.total} orphaned`,
    ]
    say(`the account of table ${table}: ${parts.join(', ')}`)
  }
  for (const { index, key } of dropped)
    say(`the account lists an entry of index ${index} that the rebuild dropped, of row ${JSON.stringify(key)}`)
}
