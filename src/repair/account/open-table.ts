/** One table of an account while its keys come in. */

import { invariant } from '../../model/bug.ts'
import { accountedKinds } from '../../model/result/account.ts'
import type { AccountedKind, LostRange, SummedRows, TableSummary } from '../../model/result/account.ts'
import type { RowKey } from '../../model/result/finding.ts'
import type { BufferedFile } from './buffered-file.ts'

/** Totals that no list of keys gives. */
export interface TableTotals {
  readonly kept: number
  /** How many keys the backup, the readable damaged file and its indexes know, together. */
  readonly union: number
  readonly leftOutByUnique: number
  readonly leftOutByForeignKey: number
}

/** Keys, or ranges of them. */
const firstMax = 20

/** A JSON array of any length. */
class SpooledArray<Item> implements Disposable {
  total = 0
  readonly first: Item[] = []
  readonly #openFile: () => BufferedFile
  #file: BufferedFile | null = null

  constructor(openFile: () => BufferedFile) {
    this.#openFile = openFile
  }

  add(items: readonly Item[]): void {
    if (items.length === 0) return
    this.#file ??= this.#openFile()
    for (const item of items) {
      this.#file.write(`${this.total++ === 0 ? '' : ','}${JSON.stringify(item)}`)
      if (this.first.length < firstMax) this.first.push(item)
    }
  }

  writeTo(document: BufferedFile): void {
    document.write('[')
    this.#file?.copyTo(document)
    document.write(']')
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]()
  }
}

export class OpenTable implements Disposable {
  readonly keys: Readonly<Record<AccountedKind, SpooledArray<RowKey>>>
  readonly pages: SpooledArray<number>
  readonly lostRanges: SpooledArray<LostRange>
  readonly #table: string

  /** @param openFile makes an empty file for keys */
  constructor(table: string, openFile: () => BufferedFile) {
    this.#table = table
    const spooled = <Item>(): SpooledArray<Item> => new SpooledArray(openFile)
    this.keys = {
      added: spooled(),
      conflicting: spooled(),
      ofBackup: spooled(),
      leftOut: spooled(),
      deleted: spooled(),
      unreadable: spooled(),
      orphaned: spooled(),
      fromIndex: spooled(),
      doubted: spooled(),
    }
    this.pages = spooled()
    this.lostRanges = spooled()
  }

  /** @throws {Bug} if the numbers do not add up */
  verify({ kept, union, leftOutByUnique, leftOutByForeignKey }: TableTotals): void {
    const { added, conflicting, deleted, unreadable, ofBackup, leftOut } = this.keys
    const sum = kept + added.total + conflicting.total + deleted.total + unreadable.total
    invariant(sum === union, `the account has ${sum} keys of a table that has ${union}`)
    const parts = ofBackup.total + leftOut.total
    invariant(parts <= conflicting.total, `${parts} of ${conflicting.total} conflicting rows are accounted for twice`)
    const reasons = leftOutByUnique + leftOutByForeignKey
    invariant(reasons === leftOut.total, `${reasons} of ${leftOut.total} rows that were left out have a reason`)
  }

  /** Writes the table as an object. */
  writeTo(document: BufferedFile, totals: TableTotals): void {
    const { added, conflicting, ofBackup, leftOut, deleted, unreadable, orphaned, fromIndex, doubted } = this.keys
    const list = (name: string, keys: SpooledArray<RowKey>): void => {
      document.write(`,"${name}":{"total":${keys.total},"keys":`)
      keys.writeTo(document)
      document.write('}')
    }
    document.write(`{"table":${JSON.stringify(this.#table)},"kept":${totals.kept}`)
    list('added', added)
    const newer = conflicting.total - ofBackup.total - leftOut.total
    document.write(`,"conflicting":{"total":${conflicting.total},"keys":`)
    conflicting.writeTo(document)
    document.write(`,"stayed":{"newer":${newer},"backup":${ofBackup.total}},"keysOfBackup":`)
    ofBackup.writeTo(document)
    document.write(`,"leftOut":{"total":${leftOut.total},"keys":`)
    leftOut.writeTo(document)
    const { leftOutByUnique, leftOutByForeignKey } = totals
    document.write(`,"byUnique":${leftOutByUnique},"byForeignKey":${leftOutByForeignKey}}}`)
    list('deleted', deleted)
    list('unreadable', unreadable)
    list('orphaned', orphaned)
    list('fromIndex', fromIndex)
    list('doubted', doubted)
    document.write(',"pages":')
    this.pages.writeTo(document)
    document.write(',"lostRanges":')
    this.lostRanges.writeTo(document)
    document.write('}')
  }

  summary(kept: number): TableSummary {
    const rows = Object.fromEntries(
      accountedKinds.map((kind): [AccountedKind, SummedRows] => {
        const { total, first } = this.keys[kind]
        return [kind, { total, keys: first }]
      }),
    ) as Record<AccountedKind, SummedRows>
    return {
      table: this.#table,
      kept,
      rows,
      pages: this.pages.total,
      lostRanges: { total: this.lostRanges.total, first: this.lostRanges.first },
    }
  }

  [Symbol.dispose](): void {
    for (const kind of accountedKinds) this.keys[kind][Symbol.dispose]()
    this.pages[Symbol.dispose]()
    this.lostRanges[Symbol.dispose]()
  }
}
