/** A new folder for each test of a file, and in it one snapshot with an awkward name. */
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { afterAll, beforeEach, expect } from 'vitest'
import { openChecker } from '../../src/check/check.ts'
import type { Checker, CheckerOptions, CheckLimits } from '../../src/check/check.ts'
import type { SnapshotPath } from '../../src/model/brand.ts'
import type { Reading } from '../../src/model/result/reading.ts'
import { create } from './databases/create-database.ts'
import { EditableDatabase } from './databases/surgeon.ts'

export const limits: CheckLimits = { timeoutMs: 30_000, memoryBytesMax: 1e9, niceness: 0 }
const signal = new AbortController().signal

type CheckerOverrides = Partial<Pick<CheckerOptions, 'engine'> & CheckLimits>

export interface SnapshotFolder {
  readonly folder: string
  readonly snapshot: SnapshotPath
  /** Opens a checker for this folder. */
  readonly open: (changes?: CheckerOverrides) => Promise<Checker>
  /** Makes one check, with a checker of its own. */
  readonly check: (depth?: 'quick' | 'full', changes?: CheckerOverrides) => Promise<Reading>
  /** Makes the snapshot: better-sqlite3 cannot open its awkward name, so it is made elsewhere and copied. */
  readonly make: (fill: (db: Database.Database) => void) => void
  /** Changes the snapshot by the surgeon. */
  readonly wound: (change: (database: EditableDatabase) => void) => void
  /** Makes a copy whose name better-sqlite3 can open. The caller removes it before the next check. */
  readonly copy: () => string
  readonly expectBackInPlace: () => void
}

/** Call it at the top of a test file. */
export function useSnapshotFolder(): SnapshotFolder {
  const top = mkdtempSync(join(tmpdir(), 'check-'))
  afterAll(() => rmSync(top, { recursive: true }))
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(top, 'snapshots-'))
  })
  const snapshot = (): SnapshotPath => join(folder, 'tenant one.db ') as SnapshotPath
  const open = (changes: CheckerOverrides = {}): Promise<Checker> =>
    openChecker({ ...limits, engine: 'census', ...changes, folder, parallel: 2 })
  const copy = (): string => {
    const path = join(folder, 'copied.db')
    copyFileSync(snapshot(), path)
    chmodSync(path, 0o600)
    return path
  }
  return {
    get folder() {
      return folder
    },
    get snapshot() {
      return snapshot()
    },
    open,
    async check(depth = 'full', changes = {}) {
      await using checker = await open(changes)
      return await checker.check(snapshot(), { depth, signal })
    },
    make(fill) {
      const path = join(folder, 'made.db')
      create(path, 4096, fill)
      copyFileSync(path, snapshot())
      rmSync(path)
    },
    wound(change) {
      const path = copy()
      {
        using database = new EditableDatabase(path)
        change(database)
      }
      copyFileSync(path, snapshot())
      rmSync(path)
    },
    copy,
    expectBackInPlace() {
      expect(readdirSync(folder)).toEqual(['tenant one.db '])
      const stat = statSync(snapshot())
      expect([stat.uid, stat.nlink, stat.mode & 0o777]).toEqual([process.getuid?.(), 1, 0o600])
    },
  }
}

export const messagesIn = (reading: Reading): readonly string[] =>
  reading.facts.flatMap((fact) => (fact.kind === 'message' ? [fact.text] : []))
export const rulesIn = (reading: Reading): readonly string[] =>
  reading.facts.flatMap((fact) => (fact.kind === 'found' ? [fact.finding.rule] : []))
