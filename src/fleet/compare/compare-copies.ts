/** Compares all copies of a tenant by the digests that the fleet has stored of them. Touches no tenant. */

import { basename } from 'node:path'
import { plainName } from '../../comparison/schema.ts'
import type { ComparedCopy, CopiesOfFile, CopiesOfTable, CopiesWord, TableVariant } from './fleet-comparison.ts'
import { judgeCopies } from './judge-copies.ts'
import type { StoredCopy, StoredTable } from './stored-copy.ts'

/** One for each file of the tenant, by name. */
export const compareCopies = (copies: readonly StoredCopy[]): readonly CopiesOfFile[] =>
  [...byFile(copies)].map(([name, ofFile]) => compareFile(name, ofFile))

/**
 * If no host has two files of the tenant, all are copies of one file, whatever their names are. Otherwise files of the
 * same name are copies. If one host has two of a name, their paths tell them apart.
 */
function byFile(copies: readonly StoredCopy[]): ReadonlyMap<string, readonly StoredCopy[]> {
  if (isUnique(copies, sideOf)) return new Map([[basename(copies[0]?.path ?? ''), copies]])
  if (isUnique(copies, (copy) => JSON.stringify([sideOf(copy), basename(copy.path)])))
    return Map.groupBy(copies, ({ path }) => basename(path))
  return Map.groupBy(copies, ({ path }) => path)
}

const sideOf = ({ host, service }: StoredCopy): string => JSON.stringify([host, service])

const isUnique = <Item>(items: readonly Item[], keyOf: (item: Item) => string): boolean =>
  new Set(items.map(keyOf)).size === items.length

/** A copy under its label. */
interface LabelledCopy {
  readonly label: string
  readonly copy: StoredCopy
  /** As in `ComparedCopy`. */
  readonly doubt: string | null
}

function compareFile(name: string, copies: readonly StoredCopy[]): CopiesOfFile {
  const labelled = withLabels(copies)
  const compared = labelled.map(comparedCopy)
  const read = labelled.filter(({ copy }) => copy.digests !== null)
  const times = read.map(({ copy }) => copy.digests?.madeAt ?? 0)
  const frame = { name, copies: compared, apartMs: read.length < 2 ? null : Math.max(...times) - Math.min(...times) }
  const why = whyNothing(labelled, read)
  if (why !== null) return { ...frame, comparison: 'not-compared', schema: 'not-compared', tables: [], why }
  const schema = compareSchemas(read)
  const tables = tablesOf(read)
  const doubted = labelled.flatMap(({ label, doubt }) => (doubt === null ? [] : [`${label}: ${doubt}`]))
  return {
    ...frame,
    schema,
    tables,
    comparison: judgeCopies([schema, ...tables.map(({ comparison }) => comparison)], doubted.length > 0),
    why: doubted.length === 0 ? null : doubted.join('; '),
  }
}

function withLabels(copies: readonly StoredCopy[]): readonly LabelledCopy[] {
  const hosts = Map.groupBy(copies, ({ host }) => host)
  const sides = Map.groupBy(copies, sideOf)
  return copies.map((copy) => {
    const { host, service, path } = copy
    const label =
      hosts.get(host)?.length === 1
        ? host
        : sides.get(sideOf(copy))?.length === 1
          ? `${host}/${service}`
          : `${host}:${path}`
    return { label, copy, doubt: doubtOf(copy) }
  })
}

/** Why the digests of a copy do not say all of it; null if they do. */
function doubtOf({ verdict, digests }: StoredCopy): string | null {
  if (digests === null) return 'no full check has stored digests of it'
  if (verdict === 'damaged') return 'it is damaged, and may not have been read completely'
  if (verdict !== 'sound') return `its last check is ${verdict ?? 'not known'}, so an earlier one made the digests`
  return digests.tables.some(({ digest }) => digest === null) ? 'not all of its tables were read' : null
}

const comparedCopy = ({ label, copy, doubt }: LabelledCopy): ComparedCopy => ({
  label,
  host: copy.host,
  service: copy.service,
  path: copy.path,
  verdict: copy.verdict,
  digestsOf: copy.digests === null ? null : new Date(copy.digests.madeAt).toISOString(),
  doubt,
})

function whyNothing(copies: readonly LabelledCopy[], read: readonly LabelledCopy[]): string | null {
  const [only] = copies
  if (copies.length === 1 && only !== undefined) return `the fleet knows one copy of it alone, on ${only.label}`
  if (read.length >= 2) return null
  const unread = copies.filter(({ copy }) => copy.digests === null).map(({ label }) => label)
  return `no full check has stored digests on ${unread.join(', ')}`
}

/** How digests were made. Those of another format or encoding cannot be compared. */
const wayOf = ({ copy }: LabelledCopy): string | null => {
  const basis = copy.digests?.basis ?? null
  return basis === null ? null : JSON.stringify([basis.format, basis.encoding])
}

function compareSchemas(copies: readonly LabelledCopy[]): CopiesWord {
  const schemas = new Set(copies.map(({ copy }) => copy.digests?.basis?.schema ?? null))
  const known = [...schemas].filter((schema) => schema !== null)
  if (known.length > 1) return 'differs'
  return schemas.size === 1 && known.length === 1 ? 'equal' : 'not-compared'
}

function tablesOf(copies: readonly LabelledCopy[]): readonly CopiesOfTable[] {
  const found = copies.map((one) => ({
    ...one,
    tables: new Map((one.copy.digests?.tables ?? []).map((table) => [plainName(table.name), table])),
  }))
  const names = [...new Set(found.flatMap(({ tables }) => [...tables.keys()]))].sort()
  return names.map((name) => compareTable(found.map((one) => ({ ...one, table: one.tables.get(name) ?? null }))))
}

type CopyOfTable = LabelledCopy & { readonly table: StoredTable | null }

function compareTable(copies: readonly CopyOfTable[]): CopiesOfTable {
  const variants = variantsOf(copies)
  const name = copies.find(({ table }) => table !== null)?.table?.name ?? ''
  const why = whyUnclear(copies, variants)
  const isMissing = variants.some(({ missing }) => missing)
  const rows = new Set(variants.filter(({ rows: counted }) => counted !== null).map(({ rows: counted }) => counted))
  // Another number of rows is a difference, however the digests were made.
  if (isMissing || rows.size > 1) return { name, variants, why, comparison: 'differs' }
  if (variants.length === 1) return { name, variants, why, comparison: why === null ? 'equal' : 'not-compared' }
  return { name, variants, why, comparison: why === null ? 'differs' : 'not-compared' }
}

/** The variant of most copies first; of as many, the one with more rows. */
function variantsOf(copies: readonly CopyOfTable[]): readonly TableVariant[] {
  const groups = Map.groupBy(copies, ({ table }) => JSON.stringify(table && [table.rows, table.digest]))
  return [...groups.values()]
    .map((group): TableVariant => {
      const table = group[0]?.table ?? null
      return {
        copies: group.map(({ label }) => label),
        rows: table?.rows ?? null,
        digest: table?.digest ?? null,
        missing: table === null,
      }
    })
    .toSorted((a, b) => b.copies.length - a.copies.length || (b.rows ?? -1) - (a.rows ?? -1))
}

/** Why digests do not decide; null if they do. */
function whyUnclear(copies: readonly CopyOfTable[], variants: readonly TableVariant[]): string | null {
  const unread = copies.filter(({ table }) => table !== null && table.digest === null).map(({ label }) => label)
  if (unread.length > 0) return `its content could not be read on ${unread.join(', ')}`
  const ways = new Set(copies.filter(({ table }) => table !== null).map(wayOf))
  // Equal digests are equal contents, however they were made.
  if (ways.size === 1 && !ways.has(null)) return null
  if (variants.length === 1) return null
  return ways.has(null)
    ? 'it is not known how its digests were made; a new check of each copy stores it'
    : 'its digests were made by different versions of holdfast or for different text encodings'
}
