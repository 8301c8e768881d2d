/**
 * The last good list of tenants of a service, in the ledger's folder (I5.1). A run goes on with it while the service
 * gives no valid list.
 */

import { join } from 'node:path'
import { wayOf } from '../../config/service-way.ts'
import type { Settings } from '../../config/settings.ts'
import { readCheckedText, writeCheckedText } from '../../host/private-files/checked-file.ts'
import { tenantId } from '../../model/brand.ts'
import { Failure } from '../../model/failure.ts'
import type { RegisteredTenant } from '../../service/port.ts'

type CopySettings = Pick<Settings, 'file' | 'service' | 'ledger'>

export type RegistryCopy =
  | {
      readonly kind: 'read'
      /** When the service gave this list, in ms since 1970. */
      readonly takenAt: number
      readonly tenants: readonly RegisteredTenant[]
    }
  | { readonly kind: 'missing' }
  /** What is there is not used, for this reason. */
  | { readonly kind: 'wrong'; readonly why: string }

/** Twice the longest list that a service may give: the copy writes some characters as escapes. */
const copyBytesMax = 256 << 20
const title = 'holdfast.registry-copy/1'

export const registryCopyFile = ({ ledger, service }: CopySettings): string =>
  join(ledger.dir, `registry-${encodeURIComponent(service.name)}.copy`)

/** @returns why the copy could not be written; null if it is on the disk */
export function keepRegistryCopy(
  settings: CopySettings,
  tenants: readonly RegisteredTenant[],
  takenAt: number,
): string | null {
  const listed = tenants.map(({ id, files }) => ({ id, files }))
  try {
    writeCheckedText(
      registryCopyFile(settings),
      title,
      JSON.stringify({ ...ownerOf(settings), takenAt, tenants: listed }),
    )
    return null
  } catch (error) {
    if (error instanceof Failure) return error.message
    throw error
  }
}

export async function readRegistryCopy(settings: CopySettings): Promise<RegistryCopy> {
  const found = await readCheckedText(registryCopyFile(settings), title, copyBytesMax)
  if (found.kind !== 'read') return found
  // Loads its library only if the copy is needed.
  const { registryCopyShape } = await import('./registry-copy-shape.ts')
  const shaped = registryCopyShape.safeParse(JSON.parse(found.text))
  if (!shaped.success) return { kind: 'wrong', why: 'it is not one that this holdfast wrote' }
  const { takenAt, tenants, ...owner } = shaped.data
  if (JSON.stringify(owner) !== JSON.stringify(ownerOf(settings)))
    return { kind: 'wrong', why: `it is of ${describeOwner(owner)}` }
  return {
    kind: 'read',
    takenAt,
    tenants: tenants.map(({ id, files }) => ({ id: tenantId(id), files, state: 'active' })),
  }
}

/** The address of hooks is their quiesce command, whose arguments may be secrets. */
const describeOwner = ({
  service,
  via,
  address,
}: {
  readonly service: string
  readonly via: string
  readonly address: string
}): string => (via === 'hooks' ? `${service} with another quiesce command` : `${service} at ${address}`)

/** A service that moved to another address, or another one of the same name, has its own list. */
function ownerOf(settings: CopySettings): { readonly service: string; readonly via: string; readonly address: string } {
  const { service, via, address } = wayOf(settings)
  return { service, via, address }
}
