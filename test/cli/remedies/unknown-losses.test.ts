/** A plan names what would be lost. Where nobody can know it, the plan says so, and never that nothing is lost. */
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { TableLoss } from '../../../src/model/result/remedy.ts'
import { makeDatabase, makeFolder, type Folder } from '../../support/cli/folder.ts'
import { holdfast } from '../../support/cli/program.ts'
import { inDatabase, onlyRemedy, remedyOf, zeroTableLeaf } from '../../support/cli/remedies.ts'

const newer = `WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 500)
  INSERT INTO notes(title, body) SELECT 'newer ' || x, 'body' FROM n`

/** 2,000 rows in the backup, 500 more in the live file. */
function makeBoth(folder: Folder): readonly [path: string, backup: string] {
  const [path, backup] = [makeDatabase(folder.in('app.db'), { rows: 2_000 }), folder.in('backup.db')]
  copyFileSync(path, backup)
  inDatabase(path, (database) => database.exec(newer))
  return [path, backup]
}

function zero(path: string, from: number, to: number): void {
  const bytes = readFileSync(path)
  bytes.fill(0, from, to)
  writeFileSync(path, bytes)
}

const rootOf = (path: string, name: string): number =>
  inDatabase(path, (database) =>
    database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(name),
  ) as number

const zeroPage = (path: string, page: number, pageSize = 4096): void =>
  zero(path, (page - 1) * pageSize, page * pageSize)

const textOf = async (...args: readonly string[]): Promise<string> =>
  (await holdfast(args)).stdout.replaceAll(/\s+/g, ' ')

const unknown = (table: string): TableLoss => ({
  table,
  inBoth: null,
  lost: null,
  changed: null,
  recovered: null,
  unreadable: null,
  keys: [],
  keysTotal: null,
})

describe('losses are not known, in text and document', () => {
  it.each([
    ['its first page is lost', (path: string): void => zeroPage(path, 1)],
    ['its header is lost', (path: string): void => zero(path, 0, 100)],
    ['it is empty', (path: string): void => truncateSync(path, 0)],
    ['it is another file', (path: string): void => writeFileSync(path, 'no database '.repeat(500))],
  ])('if %s', async (_, wound) => {
    using folder = makeFolder()
    const [path, backup] = makeBoth(folder)
    wound(path)
    const { plan, rehearsal } = onlyRemedy(await remedyOf('restore', path, '--from', backup))
    expect(rehearsal).toMatchObject({ verdict: 'sound', contentSame: false })
    expect(plan.losses).toEqual([unknown('notes'), unknown('other tables of the live file')])
    const text = await textOf('restore', path, '--from', backup)
    expect(text).toContain('lost notes: it is not known how many rows are lost')
    expect(text).not.toContain('lost nothing')
    expect(text).toContain(`holdfast restore ${path} --from ${backup} --merge-newer`)
  })

  it('if the backup is not sound', async () => {
    using folder = makeFolder()
    const [path, backup] = makeBoth(folder)
    zeroTableLeaf(path)
    zeroTableLeaf(backup)
    const { plan, failure } = onlyRemedy(await remedyOf('restore', path, '--from', backup))
    expect(failure?.code).toBe('BACKUP_BROKEN')
    expect(plan.losses).toEqual([unknown('notes'), unknown('other tables of the live file')])
  })

  it('of tables that a lost part of the schema may have named', async () => {
    using folder = makeFolder()
    const [path, backup] = [folder.in('app.db'), folder.in('backup.db')]
    inDatabase(path, (database) => {
      database.pragma('page_size=512')
      for (let i = 0; i < 60; i++) database.exec(`CREATE TABLE t${i}(id INTEGER PRIMARY KEY, x)`)
      database.exec('INSERT INTO t0 VALUES (1, 1); INSERT INTO t59 VALUES (1, 1)')
    })
    copyFileSync(path, backup)
    inDatabase(path, (database) => database.exec('INSERT INTO t59 VALUES (2, 2)'))
    const leaves = inDatabase(path, (database) =>
      database.prepare("SELECT pageno FROM dbstat WHERE name = 'sqlite_schema' AND pagetype = 'leaf'").pluck().all(),
    ) as number[]
    zeroPage(path, leaves.at(-1) ?? 0, 512)
    const { plan } = onlyRemedy(await remedyOf('restore', path, '--from', backup))
    expect(plan.losses.find(({ table }) => table === 't59')).toEqual(unknown('t59'))
    expect(plan.losses).toContainEqual(unknown('other tables of the live file'))
  })
})

describe('rows that cannot be read now, and that the backup has not', () => {
  it('are lost, and the plan says how they are kept', async () => {
    using folder = makeFolder()
    const [path, backup] = makeBoth(folder)
    zeroPage(path, rootOf(path, 'notes'))
    const { plan } = onlyRemedy(await remedyOf('restore', path, '--from', backup))
    expect(plan.losses).toMatchObject([{ table: 'notes', lost: 500, recovered: 2_000, unreadable: 2_500 }])
    const text = await textOf('restore', path, '--from', backup)
    expect(text).toContain('lost notes: at least 500 rows LOST, 2,500 rows cannot be read now')
    expect(text).toContain('to keep newer rows that are readable')
  })

  it('may be lost even if as many come back, so the plan says how they are kept', async () => {
    using folder = makeFolder()
    const [path, backup] = [makeDatabase(folder.in('app.db'), { rows: 2_000 }), folder.in('backup.db')]
    copyFileSync(path, backup)
    zeroTableLeaf(path)
    const { plan } = onlyRemedy(await remedyOf('restore', path, '--from', backup))
    expect(plan.losses).toMatchObject([{ lost: 0, changed: 0 }])
    expect(await textOf('restore', path, '--from', backup)).toContain('to keep newer rows that are readable')
  })
})
