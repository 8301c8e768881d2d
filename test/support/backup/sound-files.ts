/** A store of backups in a folder of its own, and databases that were really checked before they are kept. */
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { checkCopy } from '../../../src/backup/check-copy.ts'
import type { Entry } from '../../../src/backup/entries.ts'
import type { KeptBackup } from '../../../src/backup/keep.ts'
import { backupFolderOf, type BackedUpFile } from '../../../src/backup/layout.ts'
import type { SoundFile } from '../../../src/backup/manifest.ts'
import { openBackups, type BackupFilter, type Backups } from '../../../src/backup/store.ts'
import { openChecker, type Checker } from '../../../src/check/check.ts'
import { tenantId, type SnapshotPath } from '../../../src/model/brand.ts'
import type { Backup } from '../../../src/model/result/backup.ts'
import { noEvidence } from '../../../src/model/result/evidence.ts'
import { create, fillEvents } from '../databases/create-database.ts'
import { temporaryFolder } from '../host/other-process.ts'
import { limits } from '../snapshot-folder.ts'

export const never: AbortSignal = new AbortController().signal
export const acmeFile: BackedUpFile = { tenant: tenantId('acme'), path: '/srv/notes/acme.db' }

export interface StoreFixture {
  /** The folder of the test; the store is the folder `backups` in it. */
  readonly folder: string
  readonly backups: Backups
  readonly checker: Checker
  readonly file: (name: string) => string
  /** Makes a database, checks it, and keeps it. */
  readonly keep: (fill: (db: Database.Database) => void, about?: Partial<SoundFile>) => Promise<KeptBackup>
  readonly list: (filter?: BackupFilter) => Promise<readonly Backup[]>
  /** The folder in which the backups of a file lie, and what lies in it. */
  readonly folderOf: (of?: BackedUpFile) => string
  readonly namesOf: (of?: BackedUpFile) => readonly string[]
}

export const day = (n: number, hour = 3): string => new Date(Date.UTC(2026, 10, n, hour)).toISOString()

/** Call it at the top of a test file. Each test has a store of its own. */
export function useStore(): StoreFixture {
  const top = temporaryFolder()
  let checker: Checker
  let folder = ''
  let tests = 0
  let databases = 0
  beforeAll(async () => {
    mkdirSync(top.file('checks'), { mode: 0o700 })
    checker = await openChecker({ ...limits, engine: 'census', folder: top.file('checks'), parallel: 1 })
  })
  afterAll(async () => {
    await checker[Symbol.asyncDispose]()
    top[Symbol.dispose]()
  })
  beforeEach(() => {
    folder = top.file(`test-${tests++}`)
    mkdirSync(folder, { mode: 0o700 })
  })
  const backups = (): Backups => openBackups(join(folder, 'backups'))
  const entries = async (filter: BackupFilter = {}): Promise<readonly Entry[]> => {
    const all: Entry[] = []
    for await (const entry of backups().list(filter)) all.push(entry)
    return all
  }
  const at = (of: BackedUpFile = acmeFile): string => join(folder, 'backups', backupFolderOf(of))
  return {
    get folder() {
      return folder
    },
    get backups() {
      return backups()
    },
    get checker() {
      return checker
    },
    file: (name) => join(folder, name),
    async keep(fill, about = {}) {
      const path = top.file(`checks/made-${databases++}.db`) as SnapshotPath
      create(path, 4096, fill)
      const checked = await checkCopy(path, acmeFile, { checker, accept: [] }, never)
      if (checked.kind !== 'sound') throw new Error(`not sound: ${checked.why}`)
      const { content, sqlite } = checked
      copyFileSync(path, join(folder, 'kept.db'))
      return backups().keep(
        path,
        {
          ...acmeFile,
          service: 'notes',
          origin: 'held',
          takenAt: day(1),
          content,
          evidence: noEvidence,
          tool: { version: '0.0.0', sqlite },
          ...about,
        },
        never,
      )
    },
    list: async (filter) => (await entries(filter)).map(({ backup }) => backup),
    folderOf: at,
    namesOf: (of) => (existsSync(at(of)) ? readdirSync(at(of)).toSorted() : []),
  }
}

export const rows = (count: number): ((db: Database.Database) => void) => fillEvents(count)
