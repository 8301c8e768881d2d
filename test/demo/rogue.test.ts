import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { prepareTenants } from '../../scripts/demo/tenants.ts'

test('I1.3: the rogue has the file mapped and no descriptor on it, and ends with its stdin', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rogue-'))
  try {
    prepareTenants(dir, 20_000)
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
    'of the dozen, one has an index entry that only a full check sees, ' +
      `one a lost page, the rest are sound (${bytes} bytes)`,
    () => {
      const dir = mkdtempSync(join(tmpdir(), 'dozen-'))
      try {
        const { all, damagedIndex, damagedTable, idle, busy } = prepareTenants(dir, bytes)
        expect([all.length, new Set([...idle, ...busy]).size]).toEqual([12, 12])
        const word = (id: string, pragma: string): unknown[] => {
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
          expect([id, word(id, 'integrity_check')]).toEqual([id, ['ok']])
        expect(word(damagedIndex, 'quick_check')).toEqual(['ok'])
        expect(word(damagedIndex, 'integrity_check')).toEqual([
          expect.stringMatching(/^row \d+ missing from index notes_title$/),
        ])
        expect(word(damagedTable, 'quick_check').join()).toMatch(/btreeInitPage|CORRUPT/)
      } finally {
        rmSync(dir, { recursive: true, force: true })
      }
    },
  )
