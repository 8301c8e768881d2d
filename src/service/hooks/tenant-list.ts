/** What the tenants command prints: a JSON list of tenants, checked and bounded. */
import * as z from 'zod/mini'
import { Failure } from '../../model/failure.ts'
import { files, listOf, readAnswer, tenantIdSchema as id } from '../client/answers.ts'
import { quoteText } from '../quote-text.ts'
import { RegistrySize } from '../registry-bounds.ts'
import { maskedCommand } from './command-secrets.ts'

const state = z.nullish(z.enum(['active', 'draining', 'quiesced', 'resuming']))
const listedTenant = z.object({ id, files, state, healthy: z.nullish(z.boolean()) })
const tenantList = listOf(listedTenant)
/** What shows that one tenant serves. Other fields, and other tenants, need not fit for that. */
const servingTenant = z.object({ id, state, healthy: z.catch(z.nullish(z.boolean()), null) })

export type ListedTenant = z.infer<typeof listedTenant>
export type ServingTenant = z.infer<typeof servingTenant>

export class TenantList {
  readonly #command: readonly string[]
  readonly #entries: readonly unknown[]

  /**
   * @param command the words of the tenants command, for messages
   * @param text what it printed
   * @throws {Failure} REGISTRY_STALE if it printed no list
   */
  constructor(command: readonly string[], text: string) {
    this.#command = command
    const printed = parse(text)
    const entries: unknown = Array.isArray(printed)
      ? printed
      : (printed as { readonly tenants?: unknown } | null | undefined)?.tenants
    if (!Array.isArray(entries))
      throw this.#invalid('it must print a JSON array of {"id", "files"}, or {"tenants": ...}')
    this.#entries = entries
  }

  /**
   * @throws {Failure} REGISTRY_STALE for an entry that does not fit, an id listed twice, or a list beyond its bounds
   */
  tenants(): readonly ListedTenant[] {
    const read = readAnswer(tenantList, this.#entries)
    if (read.kind === 'misfit') throw this.#invalid(describeMisfit(read.why))
    const ids = new Set<string>()
    const size = new RegistrySize()
    for (const tenant of read.value) {
      if (ids.has(tenant.id)) throw this.#invalid(`it lists tenant ${JSON.stringify(tenant.id)} twice`)
      ids.add(tenant.id)
      const passed = size.addTenant(tenant)
      if (passed !== null) throw this.#invalid(passed)
    }
    return read.value
  }

  /** The first readable entry of the tenant, also if other entries do not fit. null if there is none. */
  serving(tenant: string): ServingTenant | null {
    for (const entry of this.#entries) {
      const read = servingTenant.safeParse(entry)
      if (read.success && read.data.id === tenant) return read.data
    }
    return null
  }

  #invalid(why: string): Failure {
    return new Failure('REGISTRY_STALE', `service.hooks.tenants: ${maskedCommand(this.#command)}: ${why}`, {
      hint: listHint,
    })
  }
}

export const listHint = 'correct what the command prints; `holdfast explain service.hooks.tenants` says what it must be'

/** `1.files: Invalid input: expected array, received undefined` as a sentence for an operator. */
function describeMisfit(why: string): string {
  const [, at, field, misfit] = /^(\d+)(?:\.(\S+))?: (?:Invalid input: )?(.*)$/s.exec(why) ?? []
  if (at === undefined || misfit === undefined) return quoteText(why)
  const entry = `entry ${Number(at) + 1} of the list${field === undefined ? '' : `, ${field}`}`
  const missing = misfit.endsWith(', received undefined')
  return (
    `${quoteText(`${entry}: ${missing ? 'it is missing' : misfit}`)}; each ` +
    'entry must be like {"id": "acme", "files": ["/srv/acme.db"]}'
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
