/**
 * The shape that a manifest must have before anything in it is believed. It comes from elsewhere, and its evidence goes
 * into reports.
 */
import * as z from 'zod/mini'
import { sealLevels } from '../../model/result/evidence.ts'

const part = z.enum(['', '-wal', '-shm', '-journal'])
const refusal = z.enum(['refused', 'granted', 'not-tried'])
const probe = z.object({ raw: z.enum(['refused', 'granted']), read: refusal, write: refusal })
const digits = z.string().check(z.regex(/^-?\d{1,30}$/))
const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const size = z.int().check(z.nonnegative())
const moment = z.iso.datetime()

const file = z.object({
  part,
  dev: digits,
  ino: digits,
  size,
  mtimeNs: digits,
  ctimeNs: digits,
  links: size,
  lease: z.enum(['write', 'none']),
})

const salts = z.string().check(z.regex(/^[0-9a-f]{16}$/))

const pin = z.object({
  branch: z.enum(['wal', 'idle', 'rollback-journal']),
  heldMs: z.number().check(z.nonnegative()),
  mark: z.nullable(z.object({ frames: size, salts })),
  walGrewBytes: size,
  journal: z.enum(['none', 'hot', 'in-use']),
  checkpoint: z.enum(['refused', 'not-tried']),
  lastSeenConnected: z.boolean(),
})

/** The evidence of a hold. */
export const evidenceShape = z.object({
  level: z.enum(sealLevels),
  lock: z.nullable(z.object({ kind: z.literal('ofd'), ranges: z.array(z.string()) })),
  probe: z.nullable(z.object({ before: z.nullable(probe), after: z.nullable(probe) })),
  lease: z.nullable(z.object({ state: z.enum(['held', 'refused', 'unsupported']), files: size })),
  pin: z._default(z.nullable(pin), null), // Older manifests do not have it.
  holders: z.array(
    z.object({
      pid: size,
      command: z.string(),
      modes: z.array(z.enum(['read', 'write', 'mapped', 'lock', 'lease'])),
      path: z.string(),
    }),
  ),
  unseen: z.array(z.string()),
  proofs: z
    .array(z.object({ at: moment, files: z.array(file), changeCounter: size, walSalts: z.nullable(salts) }))
    .check(z.maxLength(2)),
  quiesce: z.nullable(
    z.object({
      via: z.enum(['admin-api', 'hooks']),
      leaseId: z.string(),
      fence: z.nullable(z.number()),
      bootId: z.nullable(z.string()),
      heldMs: z.nullable(z.number().check(z.nonnegative())),
      continuous: z.nullable(z.boolean()),
      sqliteVersion: z.nullable(z.string()),
    }),
  ),
  snapshot: z.nullable(
    z.object({
      sha256,
      bytes: size,
      method: z.enum(['reflink', 'copy_file_range', 'read-write', 'warm+tail']),
      tailBytes: size,
      files: z.array(z.object({ part, bytes: size, sha256 })),
    }),
  ),
  fileSystem: z.nullable(z.string()),
  attempts: size,
})

/** Fields that a later version may add are dropped. */
export const manifestShape = z.object({
  schema: z.literal('holdfast.snapshot/1'),
  tenant: z.nullable(z.string()),
  path: z.string(),
  takenAt: moment,
  tool: z.object({ version: z.string() }),
  files: z.array(z.object({ name: z.string(), bytes: size, sha256 })).check(z.minLength(1), z.maxLength(10)),
  evidence: evidenceShape,
})
