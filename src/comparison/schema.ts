/**
 * Finds the differences between two schemas: objects by name, tables column by column, and the settings that an
 * application has in the header.
 */

import type { SchemaDifference } from '../model/result/comparison.ts'
import type { SchemaObject } from '../model/result/reading.ts'

/** The schema of one side, as SQLite describes it. */
export interface SchemaDescription {
  readonly encoding: 'UTF-8' | 'UTF-16le' | 'UTF-16be'
  /** `PRAGMA user_version` and `application_id`. */
  readonly userVersion: number
  readonly applicationId: number
  /** All objects except SQLite's own (`sqlite_…`). */
  readonly objects: readonly DescribedObject[]
}

export interface DescribedObject extends Pick<SchemaObject, 'kind' | 'name' | 'table' | 'shadowOf'> {
  /** Digest of the statement without blanks, comments, letter case and unnecessary quotes. */
  readonly statement: string
  /** Names of the columns of a table in order, generated ones included; empty for other objects. */
  readonly columns: readonly string[]
}

/** SQLite ignores letter case in names. */
export const plainName = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())

/** Tables that only one side has are not in the result: `judgeTable` reports them. */
export function compareSchemas(a: SchemaDescription, b: SchemaDescription): readonly SchemaDifference[] {
  const inB = new Map(b.objects.map((object) => [identityOf(object), object]))
  const inA = new Set(a.objects.map(identityOf))
  return [
    ...a.objects.flatMap((object) => {
      const other = inB.get(identityOf(object))
      return other === undefined ? onlyIn('a', object) : compareObjects(object, other)
    }),
    ...b.objects.filter((object) => !inA.has(identityOf(object))).flatMap((object) => onlyIn('b', object)),
    ...compareSetting('user_version', a.userVersion, b.userVersion),
    ...compareSetting('application_id', a.applicationId, b.applicationId),
  ]
}

const identityOf = ({ kind, name }: DescribedObject): string => `${kind} ${plainName(name)}`

function onlyIn(side: 'a' | 'b', { kind, name, table }: DescribedObject): readonly SchemaDifference[] {
  if (kind === 'table') return []
  const of = kind === 'index' || kind === 'trigger' ? ` of ${table}` : ''
  return [
    {
      kind,
      name,
      comparison: side === 'a' ? 'only-in-a' : 'only-in-b',
      text: `${words[kind]} ${name}${of} is only in ${side.toUpperCase()}`,
    },
  ]
}

function compareObjects(a: DescribedObject, b: DescribedObject): readonly SchemaDifference[] {
  if (a.statement === b.statement) return []
  const { kind, name } = a
  return [
    {
      kind,
      name,
      comparison: 'differs',
      text: `${words[kind]} ${name}: ${columnsDiffer(a.columns, b.columns) ?? 'its statement is not the same'}`,
    },
  ]
}

const words = {
  table: 'table',
  index: 'index',
  view: 'view',
  trigger: 'trigger',
  'virtual-table': 'virtual table',
} as const

/** Says in which columns two tables differ; null if they have the same columns in the same order. */
function columnsDiffer(a: readonly string[], b: readonly string[]): string | null {
  const without = (columns: readonly string[], others: readonly string[]): readonly string[] => {
    const known = new Set(others.map(plainName))
    return columns.filter((column) => !known.has(plainName(column)))
  }
  const differences = (
    [
      ['A', without(a, b)],
      ['B', without(b, a)],
    ] as const
  )
    .filter(([, columns]) => columns.length > 0)
    .map(([side, columns]) => `${columns.length === 1 ? 'column' : 'columns'} ${columns.join(', ')} only in ${side}`)
  if (differences.length > 0) return differences.join('; ')
  return sameColumns(a, b) ? null : 'the columns are in another order'
}

export const sameColumns = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((column, i) => plainName(column) === plainName(b[i] ?? ''))

function compareSetting(name: string, a: number, b: number): readonly SchemaDifference[] {
  return a === b ? [] : [{ kind: 'setting', name, comparison: 'differs', text: `${name} is ${a} in A and ${b} in B` }]
}
