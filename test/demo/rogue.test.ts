import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { makeTenants, woundTenants } from '../../scripts/demo/tenants.ts'

test('I1.3: the rogue process maps the file, has no descriptor of it, and ends with its stdin', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rogue-'))
  try {
    makeTenants(dir, 20_000)
    const file = join(dir, 'juno.db')
    const rogue = spawn(process.execPath, [join(import.meta.dirname, '../../scripts/demo/rogue.ts'), file], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [line] = (await once(rogue.stdout, 'data')) as [Buffer]
    expect(JSON.parse(String(line))).toMatchObject({ ready: true, pid: rogue.pid })
    expect(readFileSync(`/proc/${rogue.pid}/maps`, 'utf8')).toMatch(/rw-s .*juno\.db/)
    expect(readdirSync(`/proc/${rogue.pid}/fd`).map((fd) => readlinkSync(`/proc/${rogue.pid}/fd/${fd}`))).not.toContain(
      file,
    )
    rogue.stdin.end()
    expect(await once(rogue, 'exit')).toEqual([0, null])
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

for (const bytes of [30_000, 100_000, 2_000_000])
  test(
    'of the twelve tenants one has a wrong index entry that only a full check finds, ' +
      `one a lost page, and the others are sound (${bytes} bytes)`,
    () => {
      const dir = mkdtempSync(join(tmpdir(), 'dozen-'))
      try {
        const tenants = makeTenants(dir, bytes)
        woundTenants(dir, tenants)
        const { all, damagedIndex, damagedTable, idle, busy } = tenants
        expect([all.length, new Set([...idle, ...busy]).size]).toEqual([12, 12])
        const check = (id: string, pragma: string): unknown[] => {
          const database = new Database(join(dir, `${id}.db`), { readonly: true })
          const rows: unknown[] = []
          try {
            for (const row of database.prepare(`pragma ${pragma}`).pluck().iterate()) rows.push(row)
          } catch (error) {
            rows.push((error as { code: string }).code)
          } finally {
            database.close()
          }
          return rows
        }
        for (const id of all.filter((name) => name !== damagedIndex && name !== damagedTable))
          expect([id, check(id, 'integrity_check')]).toEqual([id, ['ok']])
        expect(check(damagedIndex, 'quick_check')).toEqual(['ok'])
        expect(check(damagedIndex, 'integrity_check')).toEqual([
          expect.stringMatching(/^row \d+ missing from index notes_title$/),
        ])
        expect(check(damagedTable, 'quick_check').join()).toMatch(/btreeInitPage|CORRUPT/)
      } finally {
        rmSync(dir, { recursive: true, force: true })
      }
    },
  )
