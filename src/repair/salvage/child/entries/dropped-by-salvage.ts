/**
 * Child side: the entries of the damaged indexes that no row of the new file agrees with. The new indexes do not have
 * them. They may be the only copy of their values, and their rows are not certain.
 */
import { valuesAt } from '../../../../census/differences/salvage.ts'
import { fromRowid } from '../../../../census/plan.ts'
import { Columns } from '../../../../census/record/columns.ts'
import { columnValue } from '../../../../check/reader/sqlite/column-value.ts'
import type { WalkedTree } from '../read/adopt-pages.ts'
import type { Key } from '../read/keys.ts'
import type { TreeShape } from '../read/shape.ts'
import type { SalvageContext } from '../write/table-salvage.ts'
import { matchEntries, type RowName } from './match-entries.ts'

/** Puts the entries, and the keys of their rows, into the facts. Yields after each page. */
export function* listDroppedEntries(to: SalvageContext, table: TreeShape, index: WalkedTree): Generator<void> {
  const { plan } = index.shape
  if (plan === null) return
  const positions = plan.parts.flatMap(({ source }, at) =>
    source === fromRowid || plan.identity.includes(at) ? [] : [at],
  )
  const columns = positions.map((at) => table.columns[plan.parts[at]?.source ?? -1]?.name ?? '(computed)')
  for (const entry of matchEntries(to, table, index)) {
    if (entry === null) yield
    else if (entry.match !== 'agrees') {
      const key = keyOf(table, entry.named)
      to.facts.addDropped(table, key, index.shape.name, columns, valuesAt(entry.columns, positions, table.encoding))
      if (entry.match === 'differs') noteDiffering(to, table, keyOf(table, entry.row), index.shape.name)
      else if (key !== null) noteMissing(to, table, key, index.shape.name)
    }
  }
}

function noteDiffering({ facts }: SalvageContext, table: TreeShape, key: Key | null, index: string): void {
  if (key !== null && facts.numberOf(table, 'doubted', key) === null)
    facts.addKey(table, 'doubted', key, null, `an entry of ${index} has other values`)
}

function noteMissing({ facts }: SalvageContext, table: TreeShape, key: Key, index: string): void {
  if (facts.numberOf(table, 'unreadable', key) === null && facts.numberOf(table, 'orphaned', key) === null)
    facts.addKey(table, 'unreadable', key, null, `an entry of ${index} names it, and the table has no such row`)
}

/** Null if an entry has no integer where the rowid should be. */
function keyOf({ kind }: TreeShape, { values, texts }: RowName): Key | null {
  const [rowid] = values
  if (kind === 'rowid-table') return typeof rowid === 'bigint' ? rowid : null
  const key = new Columns(values.length)
  key.take(values.map((value, i) => columnValue(texts[i] === 't' ? 'text' : 'blob', value)))
  return key
}
