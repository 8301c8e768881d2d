/** What a manifest must look like before anything in it is believed: the file came from elsewhere, and its evidence goes into reports. */
import { z } from 'zod'
import { sealLevels } from '../model/evidence.ts'

const part = z.enum(['', '-wal', '-shm', '-journal'])
const refusal = z.enum(['refused', 'granted', 'not-tried'])
const probe = z.object({ raw: z.enum(['refused', 'granted']), read: refusal, write: refusal })
const digits = z.string().regex(/^-?\d{1,30}$/)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const size = z.number().int().min(0)
const moment = z.iso.datetime()

const file = z.object({ part, dev: digits, ino: digits, size, mtimeNs: digits, ctimeNs: digits, links: size, lease: z.enum(['write', 'none']) })

const evidence = z.object({
  level: z.enum(sealLevels),
  lock: z.object({ kind: z.literal('ofd'), ranges: z.array(z.string()) }).nullable(),
  probe: z.object({ before: probe.nullable(), after: probe.nullable() }).nullable(),
  lease: z.object({ state: z.enum(['held', 'refused', 'unsupported']), files: size }).nullable(),
  holders: z.array(z.object({ pid: size, command: z.string(), modes: z.array(z.enum(['read', 'write', 'mapped', 'lock', 'lease'])), path: z.string() })),
  unseen: z.array(z.string()),
  proofs: z.array(z.object({ at: moment, files: z.array(file), changeCounter: size, walSalts: z.string().regex(/^[0-9a-f]{16}$/).nullable() })).max(2),
  quiesce: z.object({
    via: z.enum(['admin-api', 'hooks']), leaseId: z.string(), fence: z.number().nullable(), bootId: z.string().nullable(), heldMs: z.number().min(0).nullable(),
    continuous: z.boolean().nullable(), sqliteVersion: z.string().nullable(),
  }).nullable(),
  snapshot: z.object({
    sha256, bytes: size, method: z.enum(['reflink', 'copy_file_range', 'read-write', 'warm+tail']), tailBytes: size, files: z.array(z.object({ part, bytes: size, sha256 })),
  }).nullable(),
  fileSystem: z.string().nullable(),
  attempts: size,
})

/** Fields that a later version may add are left out. */
export const manifestShape = z.object({
  schema: z.literal('holdfast.snapshot/1'), tenant: z.string().nullable(), path: z.string(), takenAt: moment, tool: z.object({ version: z.string() }),
  files: z.array(z.object({ name: z.string(), bytes: size, sha256 })).min(1).max(10),
  evidence,
})
