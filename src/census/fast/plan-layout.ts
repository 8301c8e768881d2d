/** A plan as the compiled core reads it: words in its memory, laid out as src/census/fast/core/memory.ts says. */

import type { CensusPlan, Collation, IndexPlan, KeyedTablePlan, KeyPart, RowidTablePlan } from '../plan.ts'
import { Columns } from '../record/columns.ts'
import { wordsOf } from '../record/fingerprint.ts'
import { termsOf } from '../scan/expected-entries.ts'
import type { TableTerms } from '../scan/expected-entries.ts'

/** Bytes of the counts of a tree: entries, two words of content digest, an unused word, payload bytes as a real. */
export const treeCountBytes = 24

export interface FlatPlan {
  readonly words: Int32Array
  /** Per tree: address of its description. */
  readonly trees: readonly number[]
  /** Columns of the widest object. */
  readonly columnsMax: number
}

/**
 * Makes the words of a plan.
 * @param at address that the words will have
 * @param countedAt address of the counts of all trees, one after another
 * @param sumsAt address of the sums of all trees, one after another
 */
export function flatten(plan: CensusPlan, at: number, countedAt: number, sumsAt: number): FlatPlan {
  const writing = new PlanWriter(at)
  const sumsOf = (tree: number): number => sumsAt + tree * plan.buckets * 12
  let columnsMax = 1
  const trees = plan.trees.map((tree, i) => {
    const columns = tree.kind === 'index' ? tree.parts.length : tree.columns.length
    columnsMax = Math.max(columnsMax, columns)
    const counted = countedAt + i * treeCountBytes
    return tree.kind === 'index'
      ? writing.index(tree, plan.trees[tree.table]?.kind === 'rowid-table', sumsOf(i), counted)
      : writing.table(tree, termsOf(plan, tree, true), sumsOf, counted)
  })
  return { words: Int32Array.from(writing.words), trees, columnsMax }
}

const collations: Readonly<Record<Collation, number>> = { BINARY: 0, NOCASE: 1, RTRIM: 2, unknown: 0 }

/** Writes each thing before the words that point to it. */
class PlanWriter {
  readonly words: number[] = []
  readonly #at: number

  constructor(at: number) {
    this.#at = at
  }

  table(
    table: RowidTablePlan | KeyedTablePlan,
    terms: TableTerms,
    sumsOf: (tree: number) => number,
    counted: number,
  ): number {
    const key = table.kind === 'keyed-table' ? table.key : []
    const absent = this.#absent(terms.absent)
    const sources = terms.indexes.map((index) => this.#put([...index.sources]))
    const indexes = this.#put(
      terms.indexes.flatMap(({ tree, sources: { length } }, i) => [sumsOf(tree), length, sources[i] ?? 0]),
    )
    const alias = table.kind === 'rowid-table' ? table.rowidAlias : -1
    const ordered = table.kind === 'keyed-table' && table.ordered
    return this.#put([
      table.columns.length,
      alias,
      absent,
      terms.indexes.length,
      indexes,
      key.length,
      this.#parts(key),
      ordered ? 1 : 0,
      key.length,
      0,
      0,
      counted,
    ])
  }

  index(index: IndexPlan, endsWithRowid: boolean, sums: number, counted: number): number {
    const { parts, ordered, uniqueParts } = index
    return this.#put([
      parts.length,
      -1,
      0,
      0,
      0,
      parts.length,
      this.#parts(parts),
      ordered ? 1 : 0,
      uniqueParts,
      endsWithRowid ? 1 : 0,
      sums,
      counted,
    ])
  }

  #parts(parts: readonly KeyPart[]): number {
    return this.#put(parts.flatMap(({ collation, descending }) => [collations[collation], descending ? 1 : 0]))
  }

  /** Writes default values. The core reads only their words, so kind, length and value stay 0. */
  #absent(columns: Columns): number {
    const words = Array.from({ length: columns.count }, (_, i) => wordsOf(columns, i))
    const places = words.map((some) => this.#put(some))
    return this.#put(words.flatMap(({ length }, i) => [0, 0, 0, 0, places[i] ?? 0, length]))
  }

  #put(words: readonly number[]): number {
    const place = this.#at + 4 * this.words.length
    for (const word of words) this.words.push(word)
    return place
  }
}
