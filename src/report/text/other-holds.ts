/** Describes open holds of a shared ledger that this run must not end, and the command that ends each. */

import { ageOf } from '../../model/age.ts'
import { unreachable } from '../../model/bug.ts'
import type { OtherHold } from '../../model/service-way.ts'
import { printable } from '../../text/printable.ts'
import { shellWord, tenantWord } from '../../text/shell-words.ts'

export interface OtherHoldText {
  readonly said: string
  /** The command that ends it. */
  readonly next: string
}

/** @param config the configuration file of this run */
export function describeOther(hold: OtherHold, config: string, now: number = Date.now()): OtherHoldText {
  const { tenant, service, via, askedAt } = hold
  const since = `since ${ageOf(askedAt, now) === null ? 'a time in the future' : new Date(askedAt).toISOString()}`
  const way = via === null ? '' : via === 'hooks' ? ', by hooks' : ', by its admin API'
  const by = `service ${service === null ? 'unknown' : printable(service)}${way}, ${since}`
  const from = `--config ${shellWord(hold.config ?? config)}`
  const open = `a hold on ${printable(tenant)} is still open`
  const byName = `holdfast resume ${from} ${tenantWord(tenant)}`
  switch (hold.whose) {
    case 'another-service':
      return { said: `${open}; it belongs to another service (${by})`, next: `holdfast resume --all ${from}` }
    case 'another-way':
      return {
        said:
          `${open}; it was made with another service.admin or other hooks than ${here(hold, config)} has now ` +
          `(${by}). The tenant may still be paused`,
        next: byName,
      }
    case 'not-said':
      return {
        said: `${open} (${since}); an older holdfast did not record its service. The tenant may still be paused`,
        next: byName,
      }
    default:
      return unreachable(hold.whose)
  }
}

const here = ({ config: ofHold }: OtherHold, config: string): string =>
  ofHold === null || ofHold === config ? 'the configuration' : shellWord(config)

/** The command with its condition, for people. */
export function adviceOn(hold: OtherHold, config: string): string {
  const { next } = describeOther(hold, config)
  const isSameFile = hold.config === null || hold.config === config
  if (hold.whose === 'another-way' && isSameFile) return `if the current settings are right: \`${next}\``
  return `${next} (${withoutThatConfiguration(hold)})`
}

/** What to do if the configuration that the command names is gone. */
function withoutThatConfiguration({ whose, service }: OtherHold): string {
  if (whose === 'another-service' && service !== null)
    return `if that file is gone, name any configuration whose service.name is ${printable(service)}`
  return 'if that file is gone, name the current configuration; the hold ends once the tenant is seen serving'
}
