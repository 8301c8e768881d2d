/** A folder with one database, a checker and rehearsals for a test file. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { openChecker, type Checker } from '../../../src/check/check.ts'
import type { SnapshotPath } from '../../../src/model/brand.ts'
import type { DroppedEntry } from '../../../src/model/result/account.ts'
import { readDropped } from '../../../src/repair/rehearse/read-dropped.ts'
import type {
  DroppedEntries,
  MendOrder,
  RehearsalResult,
  SettledFile,
} from '../../../src/repair/rehearse/rehearsal-result.ts'
import { openRehearsals, type Rehearsals } from '../../../src/repair/rehearse/rehearse.ts'
import { context } from '../diagnosis.ts'
import { limits } from '../snapshot-folder.ts'
import { examine, type ExaminedDatabase } from './contents.ts'

const never = new AbortController().signal

export interface RehearsalFixture {
  /** The database, anew for each test. */
  readonly path: SnapshotPath
  readonly folder: string
  readonly checker: Checker
  readonly rehearsals: Rehearsals
  /** What the rehearsal is about: the database after its check. */
  readonly settle: () => Promise<SettledFile>
  readonly rehearse: (mending: MendOrder, signal?: AbortSignal) => Promise<RehearsalResult>
  /** Rehearses, and reads what came out. The mended file is deleted. */
  readonly mend: (mending: MendOrder) => Promise<MendedContents>
  /** Names in the folder beside the database. */
  readonly leftovers: () => readonly string[]
}

interface MendedContents extends ExaminedDatabase {
  readonly rehearsed: RehearsalResult
  readonly dropped: readonly DroppedEntry[]
}

/** Call it at the top of a test file. */
export function useRehearsals(): RehearsalFixture {
  const top = mkdtempSync(join(tmpdir(), 'rehearsing-'))
  const folder = mkdtempSync(join(top, 'copies-'))
  let checker: Checker | null = null
  let rehearsals: Rehearsals | null = null
  let number = 0
  beforeAll(async () => {
    checker = await openChecker({ ...limits, engine: 'census', folder, parallel: 1 })
    rehearsals = await openRehearsals({ checker, folder, limits })
  })
  afterAll(async () => {
    await checker?.[Symbol.asyncDispose]()
    rmSync(top, { recursive: true })
  })
  beforeEach(() => {
    number++
  })
  const opened = <Value>(value: Value | null): Value => {
    if (value === null) throw new Error('it is opened before the first test')
    return value
  }
  const pathOf = (): SnapshotPath => join(top, `settled-${number}.db`) as SnapshotPath
  const settle = async (): Promise<SettledFile> => {
    const path = pathOf()
    const reading = await opened(checker).check(path, { depth: 'full', signal: never })
    return { path, kept: null, reading, context }
  }
  const rehearse = async (mending: MendOrder, signal = never): Promise<RehearsalResult> =>
    opened(rehearsals).rehearse(await settle(), mending, signal)
  return {
    folder,
    settle,
    rehearse,
    get path() {
      return pathOf()
    },
    get checker() {
      return opened(checker)
    },
    get rehearsals() {
      return opened(rehearsals)
    },
    async mend(mending) {
      const rehearsed = await rehearse(mending)
      if (rehearsed.kind === 'refused') throw rehearsed.failure
      await using mended = rehearsed.mended
      return { rehearsed, dropped: await allOf(rehearsed.dropped), ...examine(mended.path) }
    },
    leftovers: () => readdirSync(folder).filter((name) => !name.startsWith('sandbox-')),
  }
}

async function allOf(dropped: DroppedEntries): Promise<readonly DroppedEntry[]> {
  const entries: DroppedEntry[] = []
  for await (const entry of readDropped(dropped)) entries.push(entry)
  return entries
}
