/** What the service says of its tenants, and which of them a text names. All of it is untrusted text. */

import PQueue from 'p-queue'
import { startDeadline } from '../../../host/clock.ts'
import type { TenantId } from '../../../model/brand.ts'
import { Failure } from '../../../model/failure.ts'
import type { Service } from '../../../service/port.ts'

const parallelQuestions = 16
/** If so many questions in a row have no answer, the others are not asked: the service is down, or it hangs. */
const unansweredMax = parallelQuestions
/** Letters of one text that are kept. */
const textMax = 300
/** So many texts are searched for names of tenants. */
const textsMax = 200

/**
 * Asks for the state of each tenant, many at a time and for at most `msMax`. A tenant that has no answer by then is
 * left out. Only an admin API is asked: each answer of hooks would run a command.
 * @returns for each tenant that is not well, what the service says
 */
export async function askForComplaints(
  service: Pick<Service, 'via' | 'tenant'>,
  tenants: readonly TenantId[],
  msMax: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<TenantId, string>> {
  const said = new Map<TenantId, string>()
  if (service.via !== 'admin-api') return said
  using deadline = startDeadline(msMax)
  const enough = new AbortController()
  const over = AbortSignal.any([signal, deadline.signal, enough.signal])
  const queue = new PQueue({ concurrency: parallelQuestions })
  let unanswered = 0
  const ask = async (tenant: TenantId): Promise<void> => {
    if (over.aborted) return
    try {
      const { healthy, lastError } = await service.tenant(tenant, over)
      unanswered = 0
      if (lastError !== null) said.set(tenant, `the service reports an error: ${lastError.slice(0, textMax)}`)
      else if (!healthy) said.set(tenant, 'the service says that it is not healthy')
    } catch (error) {
      // An answer that does not fit, or none at all: nothing is known of this tenant.
      if (!(error instanceof Failure) && !over.aborted) throw error
      if (++unanswered >= unansweredMax) enough.abort(new Failure('ADMIN_UNREACHABLE', 'the service does not answer'))
    }
  }
  await queue.addAll(tenants.map((tenant) => () => ask(tenant)))
  return said
}

/**
 * Adds the tenants that these texts name, by id or by the name of a file. A text about one tenant may name another.
 * @param by who says it, such as `the service`
 */
export function addNamed(
  said: ReadonlyMap<TenantId, string>,
  texts: readonly { readonly by: string; readonly text: string }[],
  tenants: ReadonlySet<TenantId>,
): ReadonlyMap<TenantId, string> {
  const all = new Map(said)
  for (const { by, text } of texts.slice(0, textsMax)) {
    for (const word of wordsOf(text)) {
      const id = word as TenantId
      if (tenants.has(id) && !all.has(id)) all.set(id, `${by} names it: ${text.slice(0, textMax)}`)
    }
  }
  return all
}

/** Each word, each part of a path, and each name of a file without its ending. */
function wordsOf(text: string): ReadonlySet<string> {
  const words = text.slice(0, 4_096).split(/[\s"'`,;:()[\]{}<>=|]+/)
  const parts = words.flatMap((word) => [word, ...word.split('/')])
  return new Set(
    parts
      .flatMap((part) => [part, part.replace(/\.+$/, ''), part.replace(/\.[A-Za-z0-9-]+$/, '')])
      .filter((word) => word !== ''),
  )
}
