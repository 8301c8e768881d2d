/** The shape of a copy of the list of tenants. Its checksum was right, so only another version can differ. */

import * as z from 'zod/mini'

export const registryCopyShape = z.object({
  service: z.string(),
  via: z.string(),
  address: z.string(),
  takenAt: z.number(),
  tenants: z.array(z.object({ id: z.string(), files: z.array(z.string()) })),
})
