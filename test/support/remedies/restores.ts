/** Restores and salvages of wounded databases, and what must be true of what comes out. */
import { readFileSync } from 'node:fs'
import type { Account, TableAccount } from '../../../src/model/result/account.ts'
import type { RowKey } from '../../../src/model/result/finding.ts'
import { makeFolder } from '../cli/folder.ts'
import { holdfast } from '../cli/program.ts'
import type { RemedyCase } from './cases.ts'
import { examine, type Contents, type RowsByKey } from './contents.ts'
import type { Layout } from './layouts.ts'
import { bytesOf, differentParts } from './live-files.ts'
import { complaintsAboutBytes, complaintsAboutContents, makeScene, makeSound } from './matrix.ts'
import { shortRemedy, onlyResult, runRemedy, verdictsOf } from './remedy-run.ts'

/** Backup, wound, plan, restore, undo. @returns complaints */
export async function restoreOne(it: RemedyCase, layout: Layout): Promise<readonly string[]> {
  using folder = makeFolder()
  const path = folder.in('app.db')
  makeSound(path, it, layout)
  const added = await holdfast(['backups', 'add', path, '--backups', folder.in('backups')])
  if (added.code !== 0) return [`backups add: exit code ${added.code}: ${added.stderr}`]
  const scene = makeScene(path, it, layout)
  const args = [path, '--backups', folder.in('backups')]

  const planned = onlyResult(await runRemedy(['repair', ...args]))
  const offer = planned.plan.do === 'restore' || (it.remedy === 'whole' && planned.plan.do === 'rewrite')
  const complaints = offer ? [] : [`repair offers ${shortRemedy(planned)}: ${planned.plan.why}`]

  const plan = await runRemedy(['restore', ...args])
  if (plan.code !== 0)
    complaints.push(`the plan: exit code ${plan.code}, ${shortRemedy(onlyResult(plan))}, ${plan.stderr}`)
  complaints.push(...complaintsAboutBytes(scene))

  const run = await runRemedy(['restore', ...args, '--apply'])
  const { applied, failure } = onlyResult(run)
  if (applied === null) return [...complaints, `not applied: ${shortRemedy(onlyResult(run))} ${failure?.message}`]
  if (run.code !== 0 || applied.verdict !== 'sound') complaints.push(`exit code ${run.code}, ${applied.verdict}`)
  const verdict = (await verdictsOf([path])).get(path)
  if (verdict !== 'sound') complaints.push(`holdfast check says ${verdict}`)
  complaints.push(...complaintsAboutContents(path, scene.expected))
  complaints.push(...differentParts(scene.bytes, bytesOf(applied.original)).map((line) => `kept original, ${line}`))

  await runRemedy(['restore', ...args, '--undo'])
  complaints.push(...complaintsAboutBytes(scene).map((line) => `undo: ${line}`))
  return complaints
}

/** Salvage into a new file: nothing is invented, and whatever is not there is listed. @returns complaints */
export async function salvageOne(it: RemedyCase, layout: Layout): Promise<readonly string[]> {
  using folder = makeFolder()
  const scene = makeScene(folder.in('app.db'), it, layout)
  const to = folder.in('new.db')
  const run = await runRemedy(['salvage', scene.path, '--to', to])
  const result = onlyResult(run)
  const complaints = [...complaintsAboutBytes(scene)]
  if (result.applied === null)
    return run.code === 1 || run.code === 3
      ? complaints
      : [...complaints, `no new file, and exit code ${run.code}: ${shortRemedy(result)}`]
  if (run.code !== 0 && run.code !== 2) complaints.push(`exit code ${run.code}`)
  const { contents, integrity } = examine(to)
  complaints.push(...integrity.map((line) => `the new file: ${line}`))
  const account = result.account === null ? null : (JSON.parse(readFileSync(result.account, 'utf8')) as Account)
  const missing = complaintsAboutRows(scene.expected, contents, account)
  complaints.push(...missing.complaints)
  if (run.code === 0 && missing.total > 0) complaints.push(`exit code 0, and ${missing.total} rows are missing`)
  return complaints
}

function complaintsAboutRows(
  expected: Contents,
  found: Contents,
  account: Account | null,
): { readonly total: number; readonly complaints: readonly string[] } {
  const complaints: string[] = []
  let total = 0
  for (const [table, rows] of expected.tables) {
    const got = found.tables.get(table) ?? new Map<string, string>()
    const invented = [...got].filter(
      ([key, values]) => rows.get(key) !== values && !isPartOf(values, rows.get(key), key),
    )
    if (invented[0])
      complaints.push(`${invented.length} rows of ${table} were never there, such as ${invented[0].join(': ')}`)
    const missing = [...rows.keys()].filter((key) => !got.has(key))
    total += missing.length
    const of = account?.tables.find((one) => one.table === table) ?? null
    const listed = of === null ? new Set<string>() : listedKeys(of)
    const unlisted = missing.filter((key) => !listed.has(key))
    // A row on a lost page that no index knows is accounted for by its page.
    if (unlisted.length > 0 && (of === null || of.pages.length === 0) && !isVirtual(rows))
      complaints.push(`${unlisted.length} rows of ${table} are neither there nor listed, such as ${unlisted[0]}`)
  }
  return { total, complaints: complaints.slice(0, 20) }
}

/** True for a search that finds some of the rows that it found: the others are lost, and none is invented. */
const isPartOf = (found: string, expected: string | undefined, key: string): boolean =>
  key.startsWith('rows with ') &&
  found.split(',').every((rowid) => rowid === '' || (expected?.split(',') ?? []).includes(rowid))

const isVirtual = (rows: RowsByKey): boolean => [...rows.keys()].some((key) => key.startsWith('rows with '))

const listedKeys = ({ unreadable, orphaned, deleted }: TableAccount): ReadonlySet<string> =>
  new Set([unreadable, orphaned, deleted].flatMap(({ keys }) => keys.map(keyAsContents)))

/** A key of an account in the form of contents.ts. */
function keyAsContents(key: RowKey): string {
  const parts: readonly unknown[] = Array.isArray(key) ? key : [key]
  return parts
    .map((part) => {
      if (part === null) return 'null NULL'
      if (typeof part === 'number') return `${Number.isInteger(part) ? 'integer' : 'real'} ${part}`
      if (typeof part === 'string')
        return Array.isArray(key) ? `text ${Buffer.from(part).toString('hex').toUpperCase()}` : `integer ${part}`
      return JSON.stringify(part)
    })
    .join(', ')
}
