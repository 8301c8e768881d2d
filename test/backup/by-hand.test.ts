/** A person restores a backup with the programs that src/backup/README.md names, and nothing of holdfast. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rows, useStore } from '../support/backup/sound-files.ts'
import { whySkipped } from '../support/host/mounts.ts'

const store = useStore()
const missing = ['zstd', 'sha256sum', 'cp'].filter((program) => spawnSync('which', [program]).status !== 0)
const why = missing.length === 0 ? null : `not installed: ${missing.join(', ')}`

const run = (program: string, ...args: readonly string[]): string => execFileSync(program, args, { encoding: 'utf8' })
const sumOf = (path: string): string => run('sha256sum', path).split(' ')[0] ?? ''

test.skipIf(why !== null)(`zstd, sha256sum and cp bring the database back${whySkipped(why)}`, async () => {
  const { backup } = await store.keep(rows(500))
  const at = join(store.folderOf(), backup.id)
  const manifest = JSON.parse(readFileSync(`${at}.json`, 'utf8')) as Readonly<Record<string, unknown>>
  run('zstd', '-q', '-t', `${at}.db.zst`)
  run('zstd', '-q', '-d', `${at}.db.zst`, '-o', store.file('by-hand.db'))
  run('cp', store.file('by-hand.db'), store.file('acme.db'))
  expect(sumOf(store.file('acme.db'))).toBe(manifest['sha256'])
  expect(sumOf(`${at}.db.zst`)).toBe(manifest['storedSha256'])
  expect(readFileSync(store.file('acme.db')).equals(readFileSync(store.file('kept.db')))).toBe(true)
  expect(manifest).toMatchObject({ tenant: 'acme', path: '/srv/notes/acme.db', bytes: backup.bytes })
})
