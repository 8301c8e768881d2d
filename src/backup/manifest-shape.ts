/**
 * The shape that the manifest of a backup must have before anything in it is believed. Other fields may stand in it.
 */
import * as z from 'zod/mini'
import { evidenceShape } from '../hold/copies/manifest-shape.ts'
import { backupOrigins } from '../model/result/backup.ts'

const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const whole = z.int().check(z.nonnegative())
const moment = z.iso.datetime()

export const backupShape = z.object({
  schema: z.literal('holdfast.backup/1'),
  id: z.string(),
  tenant: z.nullable(z.string()),
  path: z.string(),
  service: z.nullable(z.string()),
  origin: z.enum(backupOrigins),
  takenAt: moment,
  takenAtLatest: z.optional(z.literal(true)),
  confirmedAt: z.nullable(moment),
  verifiedAt: z.nullable(moment),
  bytes: whole,
  sha256,
  storedBytes: whole,
  storedSha256: sha256,
  header: z.object({ schemaCookie: whole, userVersion: whole, applicationId: whole, textEncoding: whole }),
  content: z.object({
    format: z.string(),
    tables: z.array(z.object({ name: z.string(), rows: whole, digest: z.nullable(z.string()) })),
  }),
  evidence: evidenceShape,
  tool: z.object({ version: z.string(), sqlite: z.string() }),
  broken: z.nullable(z.object({ at: moment, code: z.string(), message: z.string() })),
  checksum: sha256,
})
