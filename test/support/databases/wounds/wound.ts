/** A wound: one way to damage a database file, and what sees it. */

import type { Rule } from '../../../../src/model/result/finding.ts'
import type { EditableDatabase } from '../surgeon.ts'

export interface Wound {
  readonly name: string
  /** Rules that the page accounting must report, among others; empty if only SQLite can see the wound. */
  readonly accounting: readonly Rule[]
  /** False if `integrity_check` says ok. */
  readonly sqliteSees: boolean
  readonly only?: 'auto-vacuum'
  /** Wounds the file. @returns what was done */
  readonly make: (database: EditableDatabase) => string
}

/** Writes a number into the header of the file. */
export function header32(database: EditableDatabase, at: number, number: number): string {
  database.write32At(at, number)
  return `header bytes ${at} to ${at + 3} say ${number}`
}

export const firstTrunk = (database: EditableDatabase): number => database.header.freelistTrunk
