/**
 * Which service a line of the ledger belongs to. Services may share a ledger, and a service may be reached in a new
 * way.
 */

import type { OpenHold } from './event.ts'

export interface ServiceWay {
  /** The name of the service in the configuration. Services that share a ledger need different names. */
  readonly service: string
  readonly via: 'admin-api' | 'hooks' | 'files'
  /**
   * Socket or URL of the admin API. For hooks the quiesce command, because a corrected resume command still means the
   * same service. For files the configuration, because its patterns may change.
   */
  readonly address: string
  /** The configuration file, for people only: it does not identify the service. */
  readonly config: string
}

/**
 * An open hold that may not be of this service, or was asked for in another way. It is reported, and never ended
 * automatically.
 */
export interface OtherHold extends OpenHold {
  /** `not-said`: an older holdfast asked, which did not record the service. */
  readonly whose: 'another-service' | 'another-way' | 'not-said'
  /** null if the line does not have it. */
  readonly service: string | null
  readonly via: ServiceWay['via'] | null
  readonly address: string | null
  readonly config: string | null
}

/** True if the hold is of this service, in any way, or if that is not known. */
export const mayBeOurs = ({ whose }: OtherHold): boolean => whose !== 'another-service'
