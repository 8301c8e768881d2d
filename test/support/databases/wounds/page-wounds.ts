/** Wounds of whole pages, and of their headers. */

import { headerOffset } from '../../../../src/sqlite/page.ts'
import type { Patient } from '../surgeon.ts'
import { header32 } from './wound.ts'
import type { Wound } from './wound.ts'

export const pageWounds: readonly Wound[] = [
  {
    name: 'table page zeroed',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (patient) => zero(patient, patient.leaf('events')),
  },
  {
    name: 'index page zeroed',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (patient) => zero(patient, patient.leaf('events_at')),
  },
  {
    name: 'interior page zeroed',
    accounting: ['page-unreadable', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => zero(patient, patient.root('events')),
  },
  {
    name: 'page of another tree in the place of a leaf',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events')
      patient.write(page, patient.read(patient.leaf('events_kind')))
      return `page ${page}`
    },
  },
  {
    name: 'too many cells',
    accounting: ['page-unreadable'],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events')
      patient.edit(page, (bytes) => bytes.writeUInt16BE(60_000, headerOffset(page) + 3))
      return `page ${page}`
    },
  },
  {
    name: 'wrong count of fragmented bytes',
    accounting: [],
    sqliteSees: true,
    make: (patient) => {
      const page = patient.leaf('events')
      patient.edit(page, (bytes) => {
        bytes[headerOffset(page) + 7] = 33
      })
      return `page ${page}`
    },
  },
  {
    name: 'unused page',
    accounting: ['page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      const pages = patient.bytes / patient.layout.pageSize
      patient.truncate(patient.bytes + patient.layout.pageSize)
      return header32(patient, 28, pages + 1)
    },
  },
]

function zero(patient: Patient, page: number): string {
  patient.write(page, Buffer.alloc(patient.layout.pageSize))
  return `page ${page} zeroed`
}
