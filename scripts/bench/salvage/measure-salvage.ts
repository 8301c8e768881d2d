/** `holdfast salvage` and `.recover` on the same wounded files: rows brought back, invented and unaccounted for. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import type { Workspace } from '../workspace.ts'
import { openRecoverShell } from './recover-shell.ts'
import { strayOfSalvage } from './stray-of-salvage.ts'
import { isInLostRange, runShellRecover, runSalvage, type ToolRun } from './tools.ts'
import { judgeRecoveredRows, readTrueRows, strayOfRecover, type FoundRows, type TrueRows } from './true-rows.ts'
import { makeWholeTables, pagesOfTables, tableWounds, woundTable, type TableWoundName } from './wounded-tables.ts'

export interface SalvageBenchOptions {
  readonly wounds: number
  /** Rows of the largest table. */
  readonly rows: number
  readonly seed: number
}

export interface ToolFigures {
  readonly exact: number
  readonly elsewhere: number
  readonly invented: number
  /** True rows that are not brought back, and whose keys nothing knows. A range of the account covers them. */
  readonly inLostRange: number
  /** True rows that are neither brought back nor listed. */
  readonly unaccounted: number
  readonly ms: number
  readonly failure: string | null
}

export interface WoundFigures {
  readonly wound: TableWoundName
  readonly what: string
  readonly trueRows: number
  readonly salvage: ToolFigures
  readonly recover: ToolFigures
}

export interface SalvageFigures {
  readonly shell: string
  readonly seed: number
  readonly wounds: readonly WoundFigures[]
}

const pageSizes = [1024, 4096, 512, 8192] as const

export async function measureSalvage(workspace: Workspace, options: SalvageBenchOptions): Promise<SalvageFigures> {
  const shell = openRecoverShell((line) => workspace.report(line))
  const random = integersFrom(options.seed)
  const wounds: WoundFigures[] = []
  for (const [at, pageSize] of pageSizes.entries()) {
    const folder = join(workspace.folder, `pages-${pageSize}`)
    mkdirSync(folder, { mode: 0o700 })
    const whole = join(folder, 'whole.db')
    makeWholeTables(whole, pageSize, options.rows)
    const truth = readTrueRows(whole)
    const pages = pagesOfTables(whole)
    const share = Math.ceil((options.wounds * (at + 1)) / pageSizes.length)
    for (let turn = 0; wounds.length < share && workspace.hasTime; turn++) {
      const wound = tableWounds[turn % tableWounds.length]
      const file = join(folder, 'wounded.db')
      const what = wound === undefined ? null : woundTable(whole, file, wound, pages, random)
      if (wound === undefined || what === null) continue
      wounds.push(
        await measureWound(workspace, shell.path, folder, { wound, what: `${what}, pages of ${pageSize}` }, truth),
      )
      if (wounds.length % 10 === 0) workspace.report(`${wounds.length} of ${options.wounds} wounds`)
    }
    rmSync(folder, { recursive: true, force: true })
  }
  return { shell: shell.version, seed: options.seed, wounds }
}

async function measureWound(
  workspace: Workspace,
  shell: string,
  folder: string,
  named: Pick<WoundFigures, 'wound' | 'what'>,
  truth: TrueRows,
): Promise<WoundFigures> {
  const [file, ours, theirs] = ['wounded.db', 'salvaged.db', 'recovered.db'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const salvaged = await runSalvage(workspace, file, ours)
  const recovered = await runShellRecover(workspace, shell, file, theirs)
  return {
    ...named,
    trueRows: [...truth.values()].reduce((sum, { size }) => sum + size, 0),
    salvage: figuresOf(salvaged, ours, truth, strayOfSalvage),
    recover: figuresOf(recovered, theirs, truth, strayOfRecover),
  }
}

function figuresOf(
  { ms, failure, listed }: ToolRun,
  file: string,
  truth: TrueRows,
  readStray: (database: Database.Database, truth: TrueRows) => ReadonlyMap<string, ReadonlySet<string>>,
): ToolFigures {
  const nothing: FoundRows = {
    exact: 0,
    elsewhere: 0,
    invented: 0,
    missing: new Map([...truth].map(([table, rows]) => [table, [...rows.keys()]])),
  }
  const { missing, ...counts } = failure === null ? judgeRecoveredRows(file, truth, readStray) : nothing
  let [inLostRange, unaccounted] = [0, 0]
  for (const [table, keys] of missing) {
    const known = listed?.get(table)
    const unlisted = keys.filter((key) => !known?.keys.has(key))
    const covered = known === undefined ? 0 : unlisted.filter((key) => isInLostRange(known, key)).length
    inLostRange += covered
    unaccounted += unlisted.length - covered
  }
  return { ...counts, inLostRange, unaccounted, ms, failure }
}

/** xorshift32: the same seed, the same whole numbers. */
function integersFrom(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1
  return (below) => {
    state = (state ^ (state << 13)) >>> 0
    state = (state ^ (state >>> 17)) >>> 0
    state = (state ^ (state << 5)) >>> 0
    return state % below
  }
}
