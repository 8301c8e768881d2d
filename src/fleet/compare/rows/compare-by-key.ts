/**
 * Compares the rows of a tenant's copies over the network, when a person asks for it. The agent of each host takes one
 * snapshot, and the tenant serves again. Then this program asks the agents for fingerprints of rows, in as few messages
 * as the differences need. It also asks for the keys of the first rows that differ.
 */

import { compareRows } from '../../../check/compare/compare-rows.ts'
import { ComparedSide } from '../../../check/compare/compared-side.ts'
import { plainName } from '../../../comparison/schema.ts'
import { judgeTable, type FoundTable } from '../../../comparison/tables.ts'
import { monotonicMs } from '../../../host/clock.ts'
import { Failure } from '../../../model/failure.ts'
import { orFailure } from '../../../model/or-failure.ts'
import type { SidePair, TableComparison } from '../../../model/result/comparison.ts'
import type { PairByKey } from '../fleet-comparison.ts'
import { RemoteReader, type AskHost } from './remote-reader.ts'
import { rowsEachPass, type AnswerTo } from './row-questions.ts'

/** A copy on a host whose agent answers. */
export interface AskedCopy {
  readonly label: string
  /** Position in the answer to `files`; null if the agent has no such file. */
  readonly file: number | null
  readonly host: AskHost
  /** Why its agent has not answered; null if it has. */
  readonly failure: Failure | null
}

/** For one question, in ms. */
const answerMsMax = 60_000
/** For all tables of a pair, in ms. */
const pairMsMax = 10 * 60_000

/** Compares the first copy with each other one. */
export async function compareByKey([first, ...others]: readonly AskedCopy[]): Promise<readonly PairByKey[]> {
  const pairs: PairByKey[] = []
  for (const other of others) if (first !== undefined) pairs.push(await comparePair(first, other))
  return pairs
}

async function comparePair(a: AskedCopy, b: AskedCopy): Promise<PairByKey> {
  const names = { a: a.label, b: b.label }
  const opened = await orFailure(Promise.all([openCopy(a), openCopy(b)]))
  if (opened instanceof Failure) return { ...names, tables: [], why: opened.message }
  const [inA, inB] = opened
  const endsAtMs = monotonicMs() + pairMsMax
  const sides = {
    a: new ComparedSide(new RemoteReader(a.host), endsAtMs),
    b: new ComparedSide(new RemoteReader(b.host), endsAtMs),
  }
  if (inA.encoding !== inB.encoding)
    return {
      ...names,
      tables: [],
      why: `the texts of ${a.label} are ${inA.encoding}, those of ${b.label} ${inB.encoding}`,
    }
  const tables = { a: tablesOf(inA), b: tablesOf(inB) }
  const compared: TableComparison[] = []
  for (const name of [...new Set([...tables.a.keys(), ...tables.b.keys()])].toSorted()) {
    const pair = { a: tables.a.get(name) ?? null, b: tables.b.get(name) ?? null }
    compared.push(await compareTable(sides, pair))
  }
  return { ...names, tables: compared.filter(({ comparison }) => comparison !== 'equal'), why: null }
}

/** @throws {Failure} READ_FAILED */
async function openCopy({ label, file, host, failure }: AskedCopy): Promise<AnswerTo<'open'>> {
  if (failure !== null) throw failure
  if (file === null) throw new Failure('READ_FAILED', `${label} has no such file now`)
  const opened = await host.ask<'open'>({ step: 'open', file }, answerMsMax)
  if (opened.why !== null) throw new Failure('READ_FAILED', `${label}: ${opened.why}`)
  return opened
}

const tablesOf = ({ tables }: AnswerTo<'open'>): ReadonlyMap<string, FoundTable> =>
  new Map(
    tables.map(({ name, rows, digest, doubt, tree, shape }) => [
      plainName(name),
      { name, tree, plan: shape, content: { name, rows, digest }, doubt },
    ]),
  )

async function compareTable(
  sides: SidePair<ComparedSide>,
  { a, b }: SidePair<FoundTable | null>,
): Promise<TableComparison> {
  const { table, compareRowsBy: identity } = judgeTable(a, b, null)
  if (identity === null || a === null || b === null || a.tree === null || b.tree === null) return table
  const rows = await compareRows(
    sides,
    {
      tree: { a: a.tree, b: b.tree },
      rows: { a: a.content?.rows ?? 0, b: b.content?.rows ?? 0 },
      identity,
      asUtf8: false,
    },
    { rowsEachPass, memoryBytesMax: 0 },
  )
  if (rows.kind === 'compared') return { ...table, rowsToldBy: identity, differing: rows.differing }
  return { ...table, why: [...(table.why === null ? [] : [table.why]), rows.why].join('; ') }
}
