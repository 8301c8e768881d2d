/** Finds the object that a message is about: by root page, by page, by name. */

import type { FoundObject } from '../../model/result/finding.ts'
import type { Reading, SchemaObject } from '../../model/result/reading.ts'

export interface SchemaView {
  /** The object whose b-tree has this root page. */
  atRoot(root: number): FoundObject
  /** The object that owns this page; null if it is not known. */
  ownerOf(page: number): FoundObject | null
  /**
   * An index, table or virtual table by the name in a message. If the schema has no such object, it is made from the
   * name.
   */
  index(name: string): FoundObject
  table(name: string): FoundObject
  virtual(name: string, kind: 'fts' | 'rtree'): FoundObject
  /** Any object of that name; null if there is none. */
  named(name: string): FoundObject | null
  /** Splits `TABLE.COLUMN`. Both may contain dots: the longest name of a table in the schema wins. */
  column(text: string): { readonly table: FoundObject; readonly column: string }
  /** The names of the indexes of a table. */
  indexesOf(table: string): readonly string[]
  /** The table or view with the text of a full-text index; null if there is none to rebuild the index from. */
  textOf(fts: string): string | null
}

export const theSchema: FoundObject = { kind: 'schema', name: 'sqlite_schema', table: 'sqlite_schema' }
export const theFreelist: FoundObject = { kind: 'freelist', name: 'free list', table: null }
export const thePointerMap: FoundObject = { kind: 'pointer-map', name: 'pointer map', table: null }
export const theFile: FoundObject = { kind: 'file', name: 'file', table: null }

export function viewSchema(reading: Pick<Reading, 'objects' | 'owners'>): SchemaView {
  const { objects, owners } = reading
  const byRoot = new Map(objects.filter(({ root }) => root > 0).map((object) => [object.root, object]))
  const byName = new Map<string, SchemaObject>()
  // Names of tables, indexes, views and virtual tables are unique. A trigger may have the same name and must not hide
  // them.
  for (const object of objects.toSorted((a, b) => Number(b.kind === 'trigger') - Number(a.kind === 'trigger')))
    byName.set(fold(object.name), object)
  const find = (name: string): SchemaObject | null => byName.get(fold(name)) ?? null
  const found = (object: SchemaObject): FoundObject => asFound(object, find)

  const atRoot = (root: number): FoundObject => {
    if (root === 1) return theSchema
    const object = byRoot.get(root)
    return object ? found(object) : { kind: 'file', name: `b-tree ${root}`, table: null }
  }
  return {
    atRoot,
    ownerOf(page) {
      const root = owners.get(page)
      if (root === undefined) return null
      return root === 0 ? theFreelist : atRoot(root)
    },
    index(name) {
      const object = find(name)
      return object?.kind === 'index' ? found(object) : { kind: 'index', name, table: null }
    },
    table(name) {
      const object = find(name)
      return object ? found(object) : { kind: 'table', name, table: name }
    },
    virtual: (name, kind) => ({ kind, name: find(name)?.name ?? name, table: find(name)?.name ?? name }),
    named(name) {
      const object = find(name)
      return object ? found(object) : null
    },
    column(text) {
      const tables = objects
        .filter(({ kind, name }) => kind === 'table' && text.startsWith(`${name}.`))
        .toSorted((a, b) => b.name.length - a.name.length)
      const [table] = tables
      if (table) return { table: found(table), column: text.slice(table.name.length + 1) }
      const dot = text.indexOf('.')
      const name = dot < 0 ? text : text.slice(0, dot)
      return { table: { kind: 'table', name, table: name }, column: dot < 0 ? '' : text.slice(dot + 1) }
    },
    indexesOf: (table) =>
      objects.filter((object) => object.kind === 'index' && fold(object.table) === fold(table)).map(({ name }) => name),
    textOf: (fts) => find(fts)?.textFrom ?? null,
  }
}

/** SQLite compares names without regard to ASCII case. */
const fold = (name: string): string => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/**
 * Tables of a full-text index that `rebuild` writes again from the content; the others hold data that exists nowhere
 * else.
 */
const derivedFromContent = /_(?:data|idx|docsize|segments|segdir|stat)$/i

function asFound(object: SchemaObject, find: (name: string) => SchemaObject | null): FoundObject {
  switch (object.kind) {
    case 'index':
      return { kind: 'index', name: object.name, table: object.table }
    case 'view':
    case 'trigger':
      return { kind: object.kind, name: object.name, table: object.table }
    case 'virtual-table':
      return { kind: kindOfModule(object.module), name: object.name, table: object.name }
    case 'table': {
      const owner = object.shadowOf === null ? null : find(object.shadowOf)
      const kind = owner ? kindOfModule(owner.module) : 'virtual-table'
      if (owner && kind === 'rtree') return { kind, name: owner.name, table: object.name }
      if (owner && kind === 'fts' && derivedFromContent.test(object.name))
        return { kind, name: owner.name, table: object.name }
      return { kind: 'table', name: object.name, table: object.name }
    }
  }
}

function kindOfModule(module: string | null): 'fts' | 'rtree' | 'virtual-table' {
  if (module === null) return 'virtual-table'
  if (/^fts[345]$/i.test(module)) return 'fts'
  return /^(?:rtree|rtree_i32|geopoly)$/i.test(module) ? 'rtree' : 'virtual-table'
}
