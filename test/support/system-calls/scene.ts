/** What trials work on, one after the other: databases in a folder, a service with the gate, a service with hooks. */
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { damageIndex, makeDatabase } from '../cli/folder.ts'
import { openScriptedService, type ScriptedService } from '../cli/scripted-service.ts'
import { openService, type TestService } from '../cli/service.ts'
import { startSqliteProgram } from '../pinned/sqlite-program.ts'
import { DamagedFiles } from './damaged-files.ts'

export interface Scene extends AsyncDisposable {
  in(name: string): string
  readonly service: TestService
  readonly hooked: ScriptedService
  readonly damaged: DamagedFiles
  /** Replaces the random names of its folders by `@`, `@service` and `@hooks`. */
  aliased(text: string): string
  /** Replaces the aliases by the names. */
  real(text: string): string
}

/** A lease that is not ended by holdfast ends after this time. */
export const ttlMs = 3_000

export const tenants = ['acme', 'bolt'] as const

/** The true verdict of each file, by name. No failure may change it into another verdict. */
export const truth: Readonly<Record<string, 'sound' | 'damaged'>> = {
  'plain.db': 'sound',
  'wal.db': 'sound',
  'wrong.db': 'damaged',
  'open.db': 'sound',
  'acme.db': 'sound',
  'bolt.db': 'sound',
  'index.db': 'damaged',
  'table.db': 'damaged',
}

export async function openScene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'))
  const pathOf = (name: string): string => join(folder, name)
  mkdirSync(pathOf('files'))
  makeFiles(pathOf('files'))
  mkdirSync(pathOf('live'))
  makeDatabase(pathOf('live/open.db'), { wal: true })
  const program = await startSqliteProgram('node', pathOf('live/open.db'))
  program.run("INSERT INTO notes(title) VALUES('in the WAL')")
  const hold = { ttl: `${ttlMs}ms`, drainTimeout: '500ms' }
  const service = await openService({ settings: { hold, check: { workers: 1, niceness: 0 } } })
  const hooked = openScriptedService({ tenants, timeout: '5s' })
  const aliases = [
    ['@service', service.folder.path],
    ['@hooks', hooked.home],
    ['@', folder],
  ] as const
  return {
    in: pathOf,
    service,
    hooked,
    damaged: new DamagedFiles(folder),
    aliased: (text) => aliases.reduce((said, [alias, path]) => said.replaceAll(path, alias), text),
    real: (text) => aliases.reduce((said, [alias, path]) => said.replaceAll(alias, path), text),
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]()
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
  // As a killed program leaves them: committed pages are in the WAL only.
  const [made, left] = [join(folder, '.made.db'), join(folder, 'wal.db')]
  makeDatabase(made, { wal: true })
  const database = new Database(made)
  database.exec("INSERT INTO notes(title) VALUES('in the WAL')")
  for (const part of ['', '-wal']) cpSync(made + part, left + part)
  database.close()
  for (const part of ['', '-wal', '-shm']) rmSync(made + part, { force: true })
}

/** Digest, owner, mode and times of all live files, as text. A trial must not change any. */
export const liveFilesIn = (scene: Scene): string =>
  JSON.stringify(
    [
      stateOfFiles(scene.in('files'), () => true),
      stateOfFiles(scene.in('live'), (name) => name.endsWith('.db')),
      // The service itself makes and removes the other parts.
      stateOfFiles(scene.service.data, (name) => name.endsWith('.db')),
      stateOfFiles(join(scene.hooked.home, 'live'), () => true),
    ],
    null,
    1,
  )

function stateOfFiles(folder: string, isMeant: (name: string) => boolean): Readonly<Record<string, string>> {
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
