import type { DiagnosisContext } from '../../src/diagnosis/context.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { Fact, Reading, SchemaObject } from '../../src/model/result/reading.ts'

const object = (
  kind: SchemaObject['kind'],
  name: string,
  table: string,
  root: number,
  more: Partial<SchemaObject> = {},
): SchemaObject => ({ kind, name, table, root, module: null, shadowOf: null, textFrom: null, ...more })

/**
 * A schema with one object of each kind. Root pages: events 2, its indexes 3 and 4, users 5 with one index 6, keyed 7
 * (WITHOUT ROWID), full text 8 to 12, R-Tree 13 to 15.
 */
const objects: readonly SchemaObject[] = [
  object('table', 'events', 'events', 2),
  object('index', 'events_kind', 'events', 3),
  object('index', 'events_at', 'events', 4),
  object('table', 'users', 'users', 5),
  object('index', 'users_mail', 'users', 6),
  object('table', 'keyed', 'keyed', 7),
  object('virtual-table', 'ft', 'ft', 0, { module: 'fts5', textFrom: 'ft_content' }),
  object('table', 'ft_data', 'ft_data', 8, { shadowOf: 'ft' }),
  object('table', 'ft_content', 'ft_content', 10, { shadowOf: 'ft' }),
  object('virtual-table', 'bare_ft', 'bare_ft', 0, { module: 'fts5' }),
  object('table', 'bare_ft_data', 'bare_ft_data', 12, { shadowOf: 'bare_ft' }),
  object('virtual-table', 'of_users', 'of_users', 0, { module: 'fts5', textFrom: 'users' }),
  object('virtual-table', 'rt', 'rt', 0, { module: 'rtree' }),
  object('table', 'rt_node', 'rt_node', 13, { shadowOf: 'rt' }),
  object('table', 'a.b', 'a.b', 16),
  object('view', 'v', 'v', 0),
]

export const message = (text: string): Fact => ({ kind: 'message', text })
export const messages = (...texts: readonly string[]): readonly Fact[] => texts.map(message)
export const thrown = (code: string, text: string, about: string | null = null, during = 'integrity_check'): Fact => ({
  kind: 'thrown',
  code,
  text,
  during,
  object: about,
})

export function reading(facts: readonly Fact[], more: Partial<Reading> = {}): Reading {
  return {
    depth: 'full',
    engine: 'sqlite',
    sqliteVersion: '3.54.1',
    walls: [],
    writtenBy: null,
    facts,
    objects,
    owners: new Map([
      [40, 2],
      [41, 3],
      [42, 6],
      [43, 0],
      [44, 8],
    ]),
    coverage: { pages: 100, pagesRead: 100, objects: objects.length, skipped: [] },
    pageSize: 4096,
    sampled: null,
    schema: null,
    encoding: null,
    content: [],
    rowCounts: [],
    recovered: null,
    pages: { kind: 'not-digested' },
    map: null,
    complete: true,
    checkMs: 1,
    ...more,
  }
}

export const context: DiagnosisContext = {
  tenant: tenantId('acme'),
  path: '/srv/notes/acme.db',
  serviceSqlite: null,
  fileSystem: 'ext4',
  links: 1,
  verifiedBackup: false,
  accept: [],
}
