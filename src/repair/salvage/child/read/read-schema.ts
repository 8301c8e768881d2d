/** Child side: reads sqlite_schema from the pages of the damaged file. */
import type { LostObject } from '../../salvaged.ts'
import { CellRows } from './cell-rows.ts'
import type { DamagedFile } from './damaged-file.ts'
import type { Key } from './keys.ts'
import type { JudgedPage } from './page-cells.ts'
import type { OverflowChains } from './payloads.ts'
import { schemaStatement, type SchemaStatement } from './schema-rows.ts'
import { schemaShape } from './schema-shapes.ts'
import { TreeWalker, type Walked } from './walk-tree.ts'

export interface FoundSchema {
  /** In the order of the schema. */
  readonly statements: readonly SchemaStatement[]
  /** False if an object may have existed that is not among the statements. */
  readonly isWhole: boolean
  readonly lost: readonly LostObject[]
}

/** Also corrects the encoding, which may be what is damaged in the header. */
export function readSchema(file: DamagedFile, chains: OverflowChains): FoundSchema {
  const encodings = [file.encoding, 1, 2, 3].filter((encoding) => encoding >= 1 && encoding <= 3)
  let best: FoundSchema | null = null
  for (const encoding of new Set(encodings)) {
    file.forgetUses()
    const found = new SchemaPages(file, chains, encoding).read()
    if (best !== null && found.statements.length <= best.statements.length) continue
    best = found
    file.encoding = encoding
  }
  file.forgetUses()
  return best ?? { statements: [], isWhole: false, lost: [] }
}

class SchemaPages {
  readonly #file: DamagedFile
  readonly #encoding: number
  readonly #walker: TreeWalker
  readonly #cells: CellRows
  readonly #statements: { readonly rowid: bigint; readonly statement: SchemaStatement }[] = []
  readonly #lost: LostObject[] = []

  constructor(file: DamagedFile, chains: OverflowChains, encoding: number) {
    this.#file = file
    this.#encoding = encoding
    const shape = schemaShape(encoding)
    this.#walker = new TreeWalker(file, shape, chains)
    this.#cells = new CellRows(chains, { shape, walker: this.#walker })
  }

  read(): FoundSchema {
    const walked: Walked = { leafDepth: null, gaps: [] }
    for (const { page, bytes, judged } of this.#walker.walk('claim', walked)) this.#take(page, bytes, judged)
    for (const { page, low, high } of walked.gaps) {
      this.#lost.push({ kind: 'unknown', name: null, why: `page ${page} of the schema cannot be read` })
      this.#searchLeaves(low, high)
    }
    return {
      statements: this.#statements.toSorted((a, b) => Number(a.rowid - b.rowid)).map(({ statement }) => statement),
      isWhole: this.#lost.length === 0,
      lost: this.#lost,
    }
  }

  #take(page: number, bytes: Uint8Array, judged: JudgedPage): void {
    for (const [i, state] of judged.states.entries()) {
      const row = state === 'good' ? this.#cells.read(bytes, page, i) : null
      const statement = row === null ? null : schemaStatement(row.values, this.#encoding)
      if (row?.rowid == null || statement === null)
        this.#lost.push({ kind: 'unknown', name: null, why: `row ${i} of page ${page} of the schema cannot be read` })
      else this.#statements.push({ rowid: row.rowid, statement })
    }
  }

  /** Leaves of the schema that nothing names: all their rows are rows of a schema, and belong between these keys. */
  #searchLeaves(low: Key | null, high: Key | null): void {
    const shape = schemaShape(this.#encoding)
    const bytes = new Uint8Array(this.#file.layout.pageSize)
    for (let page = 2; page <= this.#file.pages; page++) {
      if (!this.#file.isUnowned(page) || this.#file.read(page, bytes)?.[0] !== 13) continue
      const judged = this.#walker.judge.judge(shape, this.#walker.keys, page, bytes, { low, high }, 5)
      if (judged === null || judged.states.length === 0 || judged.between < judged.states.length) continue
      const statements = judged.states.map((state, i) => {
        const row = state === 'good' ? this.#cells.read(bytes, page, i) : null
        return row === null ? null : schemaStatement(row.values, this.#encoding)
      })
      if (statements.includes(null)) continue
      this.#file.owners[page] = shape.id + 1
      this.#take(page, bytes, judged)
    }
  }
}
