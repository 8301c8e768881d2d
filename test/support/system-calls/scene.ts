/** Where trials are made, one after the other: a folder with databases, a service of the real gate, one with hooks. */
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { damageIndex, makeDatabase } from '../../support/cli/folder.ts'
import { openScriptedService, type ScriptedService } from '../../support/cli/scripted-service.ts'
import { openService, type TestService } from '../../support/cli/service.ts'

export interface Place extends AsyncDisposable {
  in(name: string): string
  readonly service: TestService
  readonly hooked: ScriptedService
  /** Names of its folders, which are drawn at random, become `@`, `@service` and `@hooks`. */
  aliased(text: string): string
  /** And back. */
  real(text: string): string
}

/** The lease ends a pause that nobody ends, so late. */
export const ttlMs = 3_000

export const tenants = ['acme', 'bolt'] as const

/** What is true of the files, by name: whatever fails, nobody says the contrary. */
export const truth: Readonly<Record<string, 'sound' | 'damaged'>> = {
  'plain.db': 'sound',
  'wal.db': 'sound',
  'wrong.db': 'damaged',
  'acme.db': 'sound',
  'bolt.db': 'sound',
}

export async function openPlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'))
  const inside = (name: string): string => join(folder, name)
  mkdirSync(inside('files'))
  makeFiles(inside('files'))
  const hold = { ttl: `${ttlMs}ms`, drainTimeout: '500ms' }
  const service = await openService({ settings: { hold, check: { workers: 1, niceness: 0 } } })
  const hooked = openScriptedService({ tenants, timeout: '5s' })
  const aliases = [
    ['@service', service.folder.path],
    ['@hooks', hooked.home],
    ['@', folder],
  ] as const
  return {
    in: inside,
    service,
    hooked,
    aliased: (text) => aliases.reduce((said, [alias, path]) => said.replaceAll(path, alias), text),
    real: (text) => aliases.reduce((said, [alias, path]) => said.replaceAll(alias, path), text),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      hooked[Symbol.dispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function makeFiles(folder: string): void {
  makeDatabase(join(folder, 'plain.db'))
  makeDatabase(join(folder, 'wrong.db'))
  damageIndex(join(folder, 'wrong.db'))
  // As a program that was killed leaves them: committed pages lie in the WAL alone.
  const [made, left] = [join(folder, '.made.db'), join(folder, 'wal.db')]
  makeDatabase(made, { wal: true })
  const database = new Database(made)
  database.exec("INSERT INTO notes(title) VALUES('in the WAL')")
  for (const part of ['', '-wal']) cpSync(made + part, left + part)
  database.close()
  for (const part of ['', '-wal', '-shm']) rmSync(made + part, { force: true })
}

/** Bytes, owner, mode and times of all live files: no trial may change one. */
export const footprintsIn = (place: Place): string =>
  JSON.stringify(
    [
      footprints(place.in('files'), () => true),
      footprints(place.service.data, (name) => name.endsWith('.db')), // The service makes and removes the other parts.
      footprints(join(place.hooked.home, 'live'), () => true),
    ],
    null,
    1,
  )

function footprints(folder: string, isMeant: (name: string) => boolean): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(folder)
      .filter(isMeant)
      .map((name) => {
        const path = join(folder, name)
        const { ino, uid, gid, mode, mtimeNs, nlink } = statSync(path, { bigint: true })
        const digest = createHash('sha256').update(readFileSync(path)).digest('hex')
        return [name, [digest, ino, uid, gid, mode, mtimeNs, nlink].join(' ')]
      }),
  )
}
