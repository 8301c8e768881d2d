/** Wounds of the free list. */

import { read32 } from '../../../../src/sqlite/bytes.ts'
import type { Patient } from '../surgeon.ts'
import { firstTrunk, header32 } from './wound.ts'
import type { Wound } from './wound.ts'

export const freeListWounds: readonly Wound[] = [
  {
    name: 'free list count too high',
    accounting: ['freelist-broken'],
    sqliteSees: true,
    make: (patient) => count(patient, 1),
  },
  {
    name: 'free list count too low',
    accounting: ['freelist-broken'],
    sqliteSees: true,
    make: (patient) => count(patient, -1),
  },
  {
    name: 'free page listed twice',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      patient.write32At(trunkOffset(patient, 8), read32(patient.read(firstTrunk(patient)), 12))
      return 'leaf 0 is leaf 1'
    },
  },
  {
    name: 'free page is in use',
    accounting: ['page-used-twice', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      patient.write32At(trunkOffset(patient, 8), patient.leaf('users'))
      return 'leaf 0 is a page of users'
    },
  },
  {
    name: 'free page out of range',
    accounting: ['freelist-broken', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      patient.write32At(trunkOffset(patient, 8), 1_000_000)
      return 'leaf 0'
    },
  },
  {
    name: 'trunk with more leaves than a page has room for',
    accounting: ['freelist-broken', 'page-unowned'],
    sqliteSees: true,
    make: (patient) => {
      patient.write32At(trunkOffset(patient, 4), patient.layout.pageSize)
      return 'trunk 1'
    },
  },
  {
    name: 'free list in a circle',
    accounting: ['page-used-twice'],
    sqliteSees: true,
    make: (patient) => {
      patient.write32At(trunkOffset(patient, 0), firstTrunk(patient))
      return 'trunk 1 leads to itself'
    },
  },
]

const trunkOffset = (patient: Patient, at: number): number => (firstTrunk(patient) - 1) * patient.layout.pageSize + at

function count(patient: Patient, by: number): string {
  return header32(patient, 36, patient.header.freelistCount + by)
}
