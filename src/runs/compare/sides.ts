/** What the user compares: the two sides, the files of each, and which file is compared with which. */

import { isSameFile } from '../../host/files/path-kind.ts'
import type { TenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { SidePair } from '../../model/result/comparison.ts'
import type { RegisteredTenant } from '../../service/port.ts'
import { targetsOf } from '../begin/registry.ts'
import type { Target } from '../begin/target.ts'
import { pairFiles, type FileSet, type PairedFile } from '../selection/pair-files.ts'

/** One side as the user gave it. */
export type GivenSide = GivenFiles | { readonly kind: 'tenant'; readonly given: string; readonly id: TenantId }

export interface GivenFiles {
  /** `file`: held and proven. `copy`: the user says that no program writes it. `backup`: restored for this run. */
  readonly kind: 'file' | 'copy' | 'backup'
  readonly given: string
  readonly isFolder: boolean
  /** The file, or the files in the folder; at least one. */
  readonly paths: readonly string[]
}

export const targetsOfFiles = ({ paths }: GivenFiles): readonly Target[] =>
  paths.map((named) => ({ tenant: null, named }))

/** @throws {Failure} TENANT_UNKNOWN; USAGE for a tenant without files, and for a name that is a file and a tenant */
export function targetsOfSide(side: GivenSide, tenants: readonly RegisteredTenant[]): readonly Target[] {
  const id = side.kind === 'tenant' ? side.id : side.given
  const listed = tenants.find((tenant) => tenant.id === id)
  if (side.kind !== 'tenant') {
    if (listed !== undefined)
      throw new Failure('USAGE', `${side.given} is a file here and a tenant of the service`, {
        hint: `write ./${side.given} for the file, tenant:${side.given} for the tenant`,
      })
    return targetsOfFiles(side)
  }
  if (listed === undefined)
    throw new Failure(
      'TENANT_UNKNOWN',
      `there is no file ${side.given} here, and the service does not list a tenant ${JSON.stringify(side.id)}`,
      { hint: 'write a file with a slash (./app.db); `holdfast status` lists the tenants that are known' },
    )
  if (listed.files.length === 0)
    throw new Failure('USAGE', `the service lists ${side.id} without any database file`, {
      hint: "there is nothing to compare; if it should have one, correct the service's list of tenants",
    })
  return targetsOf([listed])
}

/** @throws {Failure} USAGE, as `pairFiles`, and for a file that would be compared with itself */
export async function pairSides(
  sides: SidePair<GivenSide>,
  targets: SidePair<readonly Target[]>,
): Promise<readonly PairedFile[]> {
  const setOf = (side: 'a' | 'b'): FileSet => ({
    given: sides[side].given,
    wanted: isOneFile(sides[side]) ? 'one' : 'all',
    files: targets[side],
  })
  const files = pairFiles({ a: setOf('a'), b: setOf('b') })
  for (const file of files) {
    if (file.kind !== 'pair' || !(await isSameFile(file.targets.a.named, file.targets.b.named))) continue
    const name = (side: 'a' | 'b'): string =>
      targets[side].length === 1 ? sides[side].given : file.targets[side].named
    throw new Failure('USAGE', `${name('a')} and ${name('b')} are one and the same file`, {
      hint: 'name two; if a folder here has the name of a tenant, write tenant:ID for the tenant',
    })
  }
  return files
}

const isOneFile = (side: GivenSide): boolean => side.kind !== 'tenant' && !side.isFolder
