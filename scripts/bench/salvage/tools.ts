/** The two programs that bring rows back: `holdfast salvage`, and `.recover` of the sqlite3 shell. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Workspace } from '../workspace.ts'

const program = resolve(import.meta.dirname, '../../../bin/holdfast.js')

/** A tool that takes longer than this has failed. */
const timeLimitMs = 120_000

export interface ToolRun {
  readonly ms: number
  /** Null if it wrote a file. */
  readonly failure: string | null
  /** By table: keys that the tool lists as not brought back, in the form of its account. Null: it lists nothing. */
  readonly listed: ReadonlyMap<string, ListedRows> | null
}

interface ListedRows {
  readonly keys: ReadonlySet<string>
  /** Ranges of keys that nothing knows: their pages are lost. */
  readonly lostRanges: readonly LostRange[]
}

export async function runSalvage(workspace: Workspace, file: string, to: string): Promise<ToolRun> {
  for (const part of ['', '-facts']) rmSync(to + part, { force: true })
  const startedAt = performance.now()
  const child = spawn(process.execPath, [program, 'salvage', file, '--to', to, '--json', '--quiet'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([workspace.signal, AbortSignal.timeout(timeLimitMs)]),
  })
  const [stdout, stderr, [code]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  const ms = performance.now() - startedAt
  // 2: rows are lost, and each is listed.
  if (code !== 0 && code !== 2) return { ms, failure: `exit code ${code}: ${stderr || stdout}`, listed: null }
  return { ms, failure: null, listed: listedIn(stdout) }
}

type PrintedKey = number | string | readonly unknown[]

interface LostRange {
  readonly after: PrintedKey | null
  readonly before: PrintedKey | null
}

interface PrintedAccount {
  readonly tables: readonly {
    readonly table: string
    readonly unreadable: { readonly keys: readonly PrintedKey[] }
    readonly orphaned: { readonly keys: readonly PrintedKey[] }
    readonly lostRanges: readonly LostRange[]
  }[]
}

function listedIn(stdout: string): ReadonlyMap<string, ListedRows> {
  const [result] = (JSON.parse(stdout) as { results: readonly { readonly account: string | null }[] }).results
  if (result?.account === null || result === undefined) return new Map()
  const account = JSON.parse(readFileSync(result.account, 'utf8')) as PrintedAccount
  return new Map(
    account.tables.map(({ table, unreadable, orphaned, lostRanges }) => [
      table,
      { keys: new Set([...unreadable.keys, ...orphaned.keys].map(keyText)), lostRanges },
    ]),
  )
}

/** Rowids as digits; keys of several columns as JSON. */
const keyText = (key: PrintedKey): string => (typeof key === 'object' ? JSON.stringify(key) : String(key))

/** True if the account says that rows with keys around this one cannot be known. */
export function isInLostRange({ lostRanges }: ListedRows, key: string): boolean {
  const at = JSON.parse(key) as PrintedKey
  return lostRanges.some(
    ({ after, before }) => (after === null || isBefore(after, at)) && (before === null || isBefore(at, before)),
  )
}

/** Texts of the keys here are ASCII. */
function isBefore(one: PrintedKey, other: PrintedKey): boolean {
  if (typeof one !== 'object' || typeof other !== 'object') return Number(one) < Number(other)
  const at = one.findIndex((value, i) => value !== other[i])
  const [left, right] = [one[at], other[at]]
  if (typeof left === 'number' && typeof right === 'number') return left < right
  return at >= 0 && String(left) < String(right)
}

/** As the documentation of SQLite says: `sqlite3 broken.db .recover | sqlite3 new.db`. */
export async function runShellRecover(workspace: Workspace, shell: string, file: string, to: string): Promise<ToolRun> {
  rmSync(to, { force: true })
  const startedAt = performance.now()
  const signal = AbortSignal.any([workspace.signal, AbortSignal.timeout(timeLimitMs)])
  const recover = spawn(shell, [file, '.recover'], { stdio: ['ignore', 'pipe', 'pipe'], signal })
  const write = spawn(shell, [to], { stdio: ['pipe', 'ignore', 'pipe'], signal })
  const [said, complained] = await Promise.all([
    textOf(recover.stderr),
    textOf(write.stderr),
    pipeline(recover.stdout, write.stdin).catch(() => undefined),
    once(recover, 'close'),
    once(write, 'close'),
  ])
  const ms = performance.now() - startedAt
  const isEmpty = recover.exitCode !== 0 && recover.exitCode !== 1
  return { ms, failure: isEmpty ? `${said} ${complained}` : null, listed: null }
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}
