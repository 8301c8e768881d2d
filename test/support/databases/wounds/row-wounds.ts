/** Wounds of single rows and index entries, and of the cells that hold them. */

import { cellOffset } from '../../../../src/sqlite/page.ts'
import { dropCell, recordBody } from '../surgeon.ts'
import type { Patient } from '../surgeon.ts'
import type { Wound } from './wound.ts'

export const rowWounds: readonly Wound[] = [
  {
    name: 'index entry removed',
    accounting: [],
    sqliteSees: true,
    make: (patient) => {
      const page = leafWithoutFreeblocks(patient, 'events_kind')
      dropCell(patient, page, 3)
      return `entry 3 of page ${page} of events_kind`
    },
  },
  {
    name: 'value of an index entry changed',
    accounting: [],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events_kind')
      const at = recordBody(patient, page, 2)
      patient.edit(page, (bytes) => {
        bytes[at + 4] = (bytes[at + 4] ?? 0) ^ 1
      })
      return `page ${page}, byte ${at + 4}`
    },
  },
  {
    name: 'index entries out of order',
    accounting: [],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events_note')
      patient.edit(page, (bytes, bTree) => {
        const first = cellOffset(bytes, bTree, 0)
        bytes.writeUInt16BE(cellOffset(bytes, bTree, 1), bTree.pointers)
        bytes.writeUInt16BE(first, bTree.pointers + 2)
      })
      return `entries 0 and 1 of page ${page}`
    },
  },
  {
    name: 'table row dropped',
    accounting: [],
    sqliteSees: true,
    make: (patient) => {
      const page = leafWithoutFreeblocks(patient, 'events')
      dropCell(patient, page, 1)
      return `row 1 of page ${page} of events`
    },
  },
  {
    name: 'cell pointer out of range',
    accounting: ['page-malformed'],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events')
      patient.edit(page, (bytes, bTree) => bytes.writeUInt16BE(3, bTree.pointers))
      return `page ${page}`
    },
  },
]

function leafWithoutFreeblocks(patient: Patient, name: string): number {
  const page = patient
    .pages(name)
    .find(
      (page) =>
        patient.bTree(page).leaf && patient.bTree(page).cellCount > 5 && patient.read(page).readUInt16BE(1) === 0,
    )
  if (page === undefined) throw new Error(`${name} has no leaf without freeblocks`)
  return page
}
