/**
 * A chunk: at most 50 tenants of one host, which its agent examines one after the other. It names tenants by id only.
 * Paths, roots, service and tokens come from the agent's own configuration, so a database that lies can at most ask for
 * checks. No kind of chunk changes a live file.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { tenantId, type RunId, type TenantId } from '../../model/brand.ts'

/** More tenants would make a chunk long to repeat after a crash; fewer would make more jobs. */
export const maxTenantsOfChunk = 50

/**
 * `resend`: the agent sends what its ledger knows of these tenants, and examines nothing. `compare`: it also sends
 * digests of single rows.
 */
const chunkKinds = ['check', 'triage', 'compare', 'resend'] as const

export interface Chunk {
  /** The run of the fleet. */
  readonly run: RunId
  /** The Monday of the week in which the run began, as `2026-11-23`. It is part of the key of each result. */
  readonly week: string
  readonly kind: (typeof chunkKinds)[number]
  readonly depth: 'full' | 'quick'
  /** Counts the chunks of one run on one host from 0. */
  readonly chunk: number
  /** In the order in which to examine them. */
  readonly tenants: readonly TenantId[]
}

/** A chunk as the database has it, with the host whose agent examines it. */
export interface PlannedChunk extends Chunk {
  readonly host: string
  /** pg-boss gives the highest first. */
  readonly priority: number
}

/** Jobs of at least this priority are incidents. An agent has a lane of its own for them. */
export const incidentPriority = 50

/** The waves of a sweep have 40, 39, 38 and so on; the chunks of a triage 100, 99 and so on, always above `resend`. */
export const priorities = { firstWave: 40, resend: 60, triage: 100 } as const

const maxTenantIdLength = 1024

const chunkShape = z.object({
  run: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/),
  week: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  kind: z.enum(chunkKinds),
  depth: z.enum(['full', 'quick']),
  chunk: z.int().min(0),
  tenants: z.array(z.string().min(1).max(maxTenantIdLength)).min(1).max(maxTenantsOfChunk),
})

/** The data of a job, which is untrusted. Null if it is not a chunk. */
export function readChunk(data: unknown): Chunk | null {
  const { data: chunk } = chunkShape.safeParse(data)
  if (chunk === undefined) return null
  return { ...chunk, run: chunk.run as RunId, tenants: chunk.tenants.map((id) => tenantId(id)) }
}

/** The same chunk always has the same id. The database refuses it the second time, so that feeding can be repeated. */
export function chunkJobId({ run, host, chunk }: Pick<PlannedChunk, 'run' | 'host' | 'chunk'>): string {
  return uuidOf(JSON.stringify([run, host, chunk]))
}

/** Made once for holdfast; another one would make other ids. */
const namespace = Buffer.from('6d0bd1f7c0a14e0f9a5b7f0f2e6d3c41', 'hex')

/** A UUID of version 5 (RFC 9562): made from the SHA-1 of a namespace and a name. */
function uuidOf(name: string): string {
  const bytes = createHash('sha1').update(namespace).update(name).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
