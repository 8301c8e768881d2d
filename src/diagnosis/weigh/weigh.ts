/**
 * How bad a finding is, and which is right if an index and its table disagree (diagnosis/README.md, "Verdict and
 * remedy").
 */

import { damageClasses } from '../../model/result/finding.ts'
import type { Cause, DamageClass, Finding, FoundObject } from '../../model/result/finding.ts'
import { disagreementRules } from '../messages/merge.ts'
import type { Observation } from '../messages/observation.ts'
import type { SchemaView } from '../messages/schema-view.ts'
import { brokenIndexes, saysDifference, saysRow, undecidedIndexes } from './index-or-table.ts'

export interface DamageAssessment {
  readonly damage: DamageClass
  /** Tables that may be wrong where their indexes disagree with them. */
  readonly suspects: readonly string[]
  /** Indexes that may be right although their table disagrees with them. */
  readonly witnesses: ReadonlySet<string>
  readonly causes: readonly Cause[]
}

export function weigh(
  findings: readonly Finding[],
  observations: readonly Observation[],
  schema: SchemaView,
): DamageAssessment {
  // A table with damage of its own needs no suspicion.
  const plainly = new Set(findings.filter(({ object }) => object.kind !== 'index').map(({ object }) => object.name))
  const suspects = [...new Set([...suspectTables(observations), ...contradictedTables(findings)])]
    .toSorted()
    .filter((table) => !plainly.has(table))
  const classes = findings.map((finding) => classOf(finding, schema))
  if (suspects.length > 0) classes.push('table')
  const alone = undecidedIndexes(findings, observations, schema)
  return {
    damage: worst(classes),
    suspects,
    witnesses: witnessesAmong(findings, new Set([...suspects, ...plainly]), new Set(alone.map(({ index }) => index))),
    causes: [
      ...suspects.map((table): Cause => ({
        hint: 'lost-table-write',
        why:
          `several indexes of ${table} agree with each other and contradict the ` +
          'table: a write to the table may have been lost',
      })),
      ...(worst(classes) === 'index' ? alone.map(({ why }): Cause => ({ hint: 'index-or-table', why })) : []),
    ],
  }
}

const worst = (classes: readonly DamageClass[]): DamageClass =>
  damageClasses[Math.max(0, ...classes.map((one) => damageClasses.indexOf(one)))] ?? 'none'

/** The class of damage of one finding; `none` for notices. */
export function classOf(finding: Finding, schema: SchemaView): DamageClass {
  if (finding.severity === 'notice') return 'none'
  // A leak is lost space for every rule: stray bytes behind the last page do not make the file truncated.
  if (finding.severity === 'leak') return 'structure'
  switch (finding.rule) {
    case 'page-unowned':
    case 'freelist-broken':
    case 'pointer-map-wrong':
      return 'structure'
    case 'content-changed-silently':
      return worst(['table', classOfObject(finding.object)])
    case 'page-used-twice':
      // One of two owners has lost what the page held, so it is never damage of an index alone. A page that only the
      // free list names twice holds no data.
      if (finding.object.kind === 'freelist') return isFree(finding.page, schema) ? 'structure' : 'table'
      return worst([
        'table',
        classOfObject(finding.object),
        ...(finding.other === undefined ? [] : [classOfObject(finding.other)]),
      ])
    case 'header-wrong':
    case 'not-a-database':
    case 'truncated':
    case 'other-names':
      return 'file'
    case 'schema-unreadable':
    case 'schema-incomplete':
    case 'tree-unowned':
    case 'missing-schema':
      return 'schema'
    // A rebuild would fail on these, or they are rows themselves, or commits that are lost.
    case 'unique-violated':
    case 'key-out-of-order':
    case 'null-in-not-null':
    case 'type-mismatch':
    case 'check-failed':
    case 'foreign-key-violated':
    case 'rtree-broken':
    case 'wal-cut':
    case 'journal-cut':
    case 'checker-crashed':
    case 'check-timeout':
      return 'table'
    // A rebuild writes pages without the checksums that the application requires.
    case 'page-checksum-wrong':
      return 'table'
    // Of the application, of the machine, or of the past: nothing in the file is damaged.
    case 'wal-large':
    case 'journal-old':
    case 'rows-gone':
    case 'schema-differs':
    case 'slower-than-usual':
    case 'invariant-violated':
    case 'invariant-unjudged':
    case 'reading-differs':
    case 'snapshots-differ':
      return 'none'
    case 'engine-says':
      // Of the file: a text that is not understood. Of a table: SQLite stopped although every page and row was read, so
      // it is not the rows.
      return finding.object.kind === 'file' ? 'table' : 'schema'
    case 'fts-broken':
      return 'fts'
    case 'row-missing-from-index':
    case 'entry-without-row':
    case 'entry-differs-from-row':
    case 'index-count-differs':
    case 'index-out-of-order':
    case 'imprecise-real':
    case 'page-unreadable':
    case 'page-out-of-range':
    case 'page-malformed':
    case 'wrong-depth':
    case 'rowid-out-of-order':
    case 'overflow-broken':
    case 'record-malformed':
      return classOfObject(finding.object)
  }
}

const isFree = (page: number | undefined, schema: SchemaView): boolean => {
  const owner = page === undefined ? null : schema.ownerOf(page)
  return owner === null || owner.kind === 'freelist'
}

function classOfObject(object: FoundObject): DamageClass {
  switch (object.kind) {
    case 'index':
      return 'index'
    case 'fts':
      return 'fts'
    case 'freelist':
    case 'pointer-map':
      return 'structure'
    case 'schema':
      return 'schema'
    // Damage outside of any object of the schema may concern any table.
    case 'file':
    case 'table':
    case 'rtree':
    case 'virtual-table':
    case 'view':
    case 'trigger':
      return 'table'
  }
}

/**
 * Tables that several indexes contradict in the same way. Either the same row is missing from two indexes. Or two
 * counts differ and no row is missing, as if the table had lost a page. A rebuild would make the indexes agree with the
 * loss.
 */
function suspectTables(observations: readonly Observation[]): readonly string[] {
  const differing = observations.filter(
    ({ rule, object }) => object.kind === 'index' && object.table !== null && saysDifference.has(rule),
  )
  const tables = new Set(differing.flatMap(({ object }) => object.table ?? []))
  return [...tables]
    .filter((table) => {
      const ofTable = differing.filter(({ object }) => object.table === table)
      const namesBy = (wanted: (one: Observation) => boolean): ReadonlySet<string> =>
        new Set(ofTable.filter(wanted).map(({ object }) => object.name))
      const withRows = namesBy(({ rule }) => saysRow.has(rule))
      const countOnly = [...namesBy(({ rule }) => rule === 'index-count-differs')].filter((name) => !withRows.has(name))
      return countOnly.length > 1 || sharesRow(ofTable)
    })
    .toSorted()
}

function sharesRow(ofTable: readonly Observation[]): boolean {
  const indexByOrdinal = new Map<number, string>()
  return ofTable.some(({ ordinal, object }) => {
    if (ordinal === null) return false
    const other = indexByOrdinal.get(ordinal)
    indexByOrdinal.set(ordinal, object.name)
    return other !== undefined && other !== object.name
  })
}

/**
 * Tables that several indexes contradict about the same row in the same way. This is exact, because the census names
 * rows. An index that is itself broken does not count.
 */
export function contradictedTables(findings: readonly Finding[]): readonly string[] {
  const indexBySaying = new Map<string, string>()
  const broken = brokenIndexes(findings)
  return findings.flatMap(({ rule, source, object, rows, agreeing }) => {
    const { table } = object
    if (
      source !== 'census' ||
      object.kind !== 'index' ||
      table === null ||
      !disagreementRules.has(rule) ||
      broken.has(object.name)
    )
      return []
    // A finding lists only the first rows, but the census has compared all of them.
    const contradicted =
      (agreeing ?? []).some((name) => !broken.has(name)) ||
      (rows ?? []).some((row) => {
        const saying = JSON.stringify([table, rule, row])
        const other = indexBySaying.get(saying)
        indexBySaying.set(saying, object.name)
        return other !== undefined && other !== object.name
      })
    return contradicted ? [table] : []
  })
}

/**
 * Indexes whose table is damaged or suspect, or which alone disagree with it; without those that are broken themselves.
 */
function witnessesAmong(
  findings: readonly Finding[],
  tables: ReadonlySet<string>,
  alone: ReadonlySet<string>,
): ReadonlySet<string> {
  const broken = brokenIndexes(findings)
  const differing = findings.filter(
    ({ rule, object }) => object.kind === 'index' && disagreementRules.has(rule) && !broken.has(object.name),
  )
  return new Set(
    differing
      .filter(({ object }) => alone.has(object.name) || tables.has(object.table ?? ''))
      .map(({ object }) => object.name),
  )
}
