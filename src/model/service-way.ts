/** Whose a line of the ledger is: services may share one ledger, and one may be reached in another way than before. */
import type { OpenHold } from './event.ts'

export interface ServiceWay {
  /** Its name in the configuration: two services that share a ledger need two names. */
  readonly service: string
  readonly via: 'admin-api' | 'hooks'
  /**
   * Socket or URL of the admin API; of hooks the quiesce command: who mends a resume command means the same service.
   */
  readonly address: string
  /** The configuration file by which it was reached: for people, it tells no service from another. */
  readonly config: string
}

/** An open hold that this service did not surely ask for in this way: it is named, and never ended on its own. */
export interface OtherHold extends OpenHold {
  /** `not-said`: an older holdfast asked, which did not write down whom. */
  readonly whose: 'another-service' | 'another-way' | 'not-said'
  /** null where the line does not say it. */
  readonly service: string | null
  readonly via: ServiceWay['via'] | null
  readonly address: string | null
  readonly config: string | null
}

/** Of this service, asked for in whatever way; or nobody knows. */
export const mayBeOurs = ({ whose }: OtherHold): boolean => whose !== 'another-service'
