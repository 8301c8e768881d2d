/** `restore --merge-newer` of a file without a header: its rows are merged if its own schema says where they are. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { makeDatabase, makeFolder } from '../../support/cli/folder.ts'
import { inDatabase, integrityOf, onlyRemedy, remedyOf } from '../../support/cli/remedies.ts'

function zero(path: string, from: number, to: number): void {
  const bytes = readFileSync(path)
  bytes.fill(0, from, to)
  writeFileSync(path, bytes)
}

describe('--merge-newer on a file without a header', () => {
  it('adds the newer rows if the schema is there', async () => {
    using folder = makeFolder()
    const [path, backup] = [makeDatabase(folder.in('app.db'), { rows: 2_000 }), folder.in('backup.db')]
    copyFileSync(path, backup)
    inDatabase(path, (database) =>
      database.exec(`WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 500)
        INSERT INTO notes(title, body) SELECT 'newer ' || x, 'body' FROM n`),
    )
    zero(path, 0, 100)
    const { applied, plan } = onlyRemedy(await remedyOf('restore', path, '--from', backup, '--merge-newer', '--apply'))
    expect(applied?.verdict).toBe('sound')
    expect(plan.losses).toEqual([])
    const rows = inDatabase(path, (database) => database.prepare('SELECT count(*) FROM notes').pluck().get())
    expect([integrityOf(path), rows]).toEqual(['ok', 2_500])
  })

  it('is refused if only the backup says where a table begins: its page may be that of another one', async () => {
    using folder = makeFolder()
    const [path, backup] = [makeDatabase(folder.in('app.db'), { rows: 2_000 }), folder.in('backup.db')]
    const others = 'CREATE TABLE others(id INTEGER PRIMARY KEY, a TEXT, b TEXT)'
    inDatabase(path, (database) =>
      database.exec(`CREATE TABLE gone(x); ${others}; INSERT INTO others SELECT id, 'other', 'other' FROM notes;
        INSERT INTO gone SELECT title FROM notes`),
    )
    copyFileSync(path, backup)
    inDatabase(path, (database) => database.exec('DROP TABLE notes; VACUUM'))
    const bytes = readFileSync(path)
    zero(path, 0, 4096)
    const { failure, plan } = onlyRemedy(await remedyOf('restore', path, '--from', backup, '--merge-newer'))
    expect(failure?.code).toBe('REMEDY_REFUSED')
    expect(failure?.message).toContain('the schema of the damaged file is lost')
    expect(failure?.hint).toContain('holdfast salvage')
    expect(plan.backup?.id).toBe(backup)
    expect(readFileSync(path).subarray(4096).equals(bytes.subarray(4096))).toBe(true)
  })
})
