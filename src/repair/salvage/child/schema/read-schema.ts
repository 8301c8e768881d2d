/** Child side: reads sqlite_schema from the pages of the damaged file. */
import type { LostObject } from '../../salvage-result.ts'
import { CellRows } from '../read/cell-rows.ts'
import type { DamagedFile } from '../read/damaged-file.ts'
import { findFreePages } from '../read/free-pages.ts'
import type { JudgedPage } from '../read/page-cells.ts'
import type { OverflowChains } from '../read/payloads.ts'
import { TreeWalker, type Gap, type WalkResult } from '../read/walk-tree.ts'
import { damagedStatement, schemaStatement, type DamagedStatement, type SchemaStatement } from './schema-rows.ts'
import { schemaShape } from './schema-shapes.ts'

export interface FoundSchema {
  /** In the order of the schema. */
  readonly statements: readonly SchemaStatement[]
  /** Rows that can be read and are no statements any more. */
  readonly damaged: readonly DamagedStatement[]
  /** False if an object may have existed that is not among the statements. */
  readonly isWhole: boolean
  readonly lost: readonly LostObject[]
}

/** Also corrects the encoding, which may be what is damaged in the header. */
export function readDamagedSchema(file: DamagedFile, chains: OverflowChains): FoundSchema {
  const encodings = [file.encoding, 1, 2, 3].filter((encoding) => encoding >= 1 && encoding <= 3)
  let best: FoundSchema | null = null
  let isInFreeList: ((page: number) => boolean) | null = null
  const isFree = (page: number): boolean => (isInFreeList ??= findFreePages(file))(page)
  for (const encoding of new Set(encodings)) {
    file.forgetUses()
    const found = new SchemaPages(file, chains, encoding, isFree).read()
    best ??= found
    if (found.statements.length === 0) continue
    best = found
    file.encoding = encoding
    break
  }
  file.forgetUses()
  return best ?? { statements: [], damaged: [], isWhole: false, lost: [] }
}

class SchemaPages {
  readonly #file: DamagedFile
  readonly #encoding: number
  readonly #isFree: (page: number) => boolean
  readonly #walker: TreeWalker
  readonly #cells: CellRows
  readonly #statements: { readonly rowid: bigint; readonly statement: SchemaStatement }[] = []
  readonly #damaged: DamagedStatement[] = []
  readonly #lost: LostObject[] = []

  constructor(file: DamagedFile, chains: OverflowChains, encoding: number, isFree: (page: number) => boolean) {
    this.#file = file
    this.#encoding = encoding
    this.#isFree = isFree
    const shape = schemaShape(encoding)
    this.#walker = new TreeWalker(file, shape, chains)
    this.#cells = new CellRows(chains, { shape, walker: this.#walker })
  }

  read(): FoundSchema {
    const walked: WalkResult = { leafDepth: null, gaps: [] }
    for (const { page, bytes, judged } of this.#walker.walk('claim', walked)) this.#take(page, bytes, judged)
    for (const { page } of walked.gaps)
      this.#lost.push({ kind: 'unknown', name: null, why: `page ${page} of the schema cannot be read` })
    if (walked.gaps.length > 0) this.#searchLeaves(walked.gaps)
    return {
      statements: this.#statements.toSorted((a, b) => Number(a.rowid - b.rowid)).map(({ statement }) => statement),
      damaged: this.#damaged,
      isWhole: this.#lost.length === 0,
      lost: this.#lost,
    }
  }

  #take(page: number, bytes: Uint8Array, judged: JudgedPage): void {
    for (const [i, state] of judged.states.entries()) {
      const row = state === 'good' ? this.#cells.read(bytes, page, i) : null
      const statement = row === null ? null : schemaStatement(row.values, this.#encoding)
      if (row !== null && statement === null) this.#damaged.push(damagedStatement(row.values, this.#encoding))
      if (row?.rowid == null || statement === null)
        this.#lost.push({ kind: 'unknown', name: null, why: `row ${i} of page ${page} of the schema cannot be read` })
      else this.#statements.push({ rowid: row.rowid, statement })
    }
  }

  /**
   * Leaves of the schema that nothing names: all their rows are rows of a schema, and belong into a gap. A free page
   * may still have rows of objects that were dropped.
   */
  #searchLeaves(gaps: readonly Gap[]): void {
    const shape = schemaShape(this.#encoding)
    const bytes = new Uint8Array(this.#file.layout.pageSize)
    for (let page = 2; page <= this.#file.pages; page++) {
      if (!this.#file.isUnowned(page) || this.#file.read(page, bytes)?.[0] !== 13) continue
      const { judge, keys } = this.#walker
      const judged = judge.judge(shape, keys, page, bytes, { low: null, high: null }, 5)
      if (judged === null || judged.alike === 0 || judged.alike < judged.states.length) continue
      const isInGap = gaps.some(({ low, high }) =>
        judged.keys.every((key) => key !== null && keys.isBetween(key, low, high)),
      )
      if (!isInGap) continue
      const statements = judged.states.map((state, i) => {
        const row = state === 'good' ? this.#cells.read(bytes, page, i) : null
        return row === null ? null : schemaStatement(row.values, this.#encoding)
      })
      if (statements.includes(null) || this.#isFree(page)) continue
      this.#file.owners[page] = shape.id + 1
      this.#take(page, bytes, judged)
    }
  }
}
