/**
 * Which line is of which service, and of which way to reach it (model/service-way.ts). In the ledger's process only.
 */

import type Database from 'better-sqlite3'
import type { OtherHold, ServiceWay } from '../../model/service-way.ts'
import { statementFor } from './statement-cache.ts'

/** The way of a line, as it is stored. `said` is 0 for lines of the first version, which do not record it. */
export type WrittenWay = { readonly [Key in keyof ServiceWay]: ServiceWay[Key] | null } & { readonly said: 0 | 1 }

export const writtenWay = (way: ServiceWay | null): WrittenWay => ({
  service: null,
  via: null,
  address: null,
  config: null,
  ...way,
  said: 1,
})

/** Columns of `line` joined with `way`. */
export const wayColumns = 'way.service, way.via, way.address, way.config, ifnull(way.id > 0, 0) as said'

/** The number of a way. A new way gets a new number. The caller has begun a transaction. */
export function numberOf(database: Database.Database, way: WrittenWay): number {
  if (way.said === 0) {
    statementFor(database, 'update way set service = coalesce(service, ?) where id = 0').run(way.service)
    return 0
  }
  const { service, via, address, config } = way
  const named = { service, via, address, config }
  const find = statementFor(
    database,
    `
    select id from way
    where id > 0 and service is :service and via is :via and address is :address and config is :config`,
  )
  const found = find.get(named) as { readonly id: number } | undefined
  if (found !== undefined) return found.id
  const put = statementFor(
    database,
    'insert into way (service, via, address, config) values (:service, :via, :address, :config)',
  )
  return Number(put.run(named).lastInsertRowid)
}

/** The numbers by which lines name the ways of one service. */
interface WayNumbers {
  /** This service, reached in this way: JSON, for `json_each`. */
  readonly own: string
  /** This service, reached in any way: JSON, for `json_each`. */
  readonly service: string
  /** This service, reached in another way. Without number 0: lines of the first version did not record their way. */
  readonly others: ReadonlySet<number>
}

export function numbersOf(database: Database.Database, way: ServiceWay | null): WayNumbers {
  const { service, via, address } = writtenWay(way)
  const select = (condition: string, ...values: readonly (string | null)[]): readonly number[] =>
    database
      .prepare<unknown[], number>(`select id from way where ${condition}`)
      .pluck()
      .all(...values)
  const own = select('id > 0 and service is ? and via is ? and address is ?', service, via, address)
  // Lines that do not name their service may be of bare files.
  const ofService = select('service is ? and (id > 0 or service is not null)', service)
  return {
    own: JSON.stringify(own),
    service: JSON.stringify(ofService),
    others: new Set(ofService.filter((id) => id > 0 && !own.includes(id))),
  }
}

/** A sentence names at most so many ways. */
const namedMax = 3

const wayWords = { 'admin-api': 'its admin API', hooks: 'hooks', files: 'patterns of files' } as const

/** In words: `by hooks with /etc/notes.yaml`. */
export function describeWays(database: Database.Database, numbers: ReadonlySet<number>): string {
  const find = database.prepare<[number], Pick<WrittenWay, 'via' | 'config'>>(
    'select via, config from way where id = ?',
  )
  const words = [...numbers].slice(0, namedMax).flatMap((number) => {
    const { via, config } = find.get(number) ?? { via: null, config: null }
    return `by ${via === null ? 'an unknown way' : wayWords[via]} with ${config ?? 'an unknown configuration'}`
  })
  return `${words.join('; ')}${numbers.size > namedMax ? ` and ${numbers.size - namedMax} more` : ''}`
}

/** @returns null for a hold of this service in this way */
export function whoseIs(by: WrittenWay, way: ServiceWay | null): OtherHold['whose'] | null {
  const ours = writtenWay(way)
  if (by.said === 0) return by.service === null || by.service === ours.service ? 'not-said' : 'another-service'
  if (by.service !== ours.service) return 'another-service'
  return by.via === ours.via && by.address === ours.address ? null : 'another-way'
}
