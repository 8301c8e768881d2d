/** `fleet.replicas`: tenants that are meant to be on several hosts. */

import * as z from 'zod/mini'
import { list, nonEmpty, plainText, required, valueNotes, whole } from '../value.ts'

/** A mistake in an entry is reported with its line. */
export function meantReplicas() {
  const pattern = plainText('the pattern of an id, of at most 1,024 characters', /^.{1,1024}$/su)
  const entry = z.strictObject(
    {
      tenants: required(nonEmpty(list('a list of patterns of ids such as [acme, "eu-*"]', pattern))),
      hosts: required(whole(2, 100)),
    },
    {
      error: ({ code }) =>
        code === 'invalid_type' ? 'expected an entry such as { tenants: ["eu-*"], hosts: 2 }' : undefined,
    },
  )
  const schema = z.pipe(
    z.transform((given: unknown) => given ?? []),
    z.array(entry, { error: () => 'expected a list such as [{ tenants: ["eu-*"], hosts: 2 }]' }),
  )
  valueNotes.add(schema, {
    allowed: 'a list of entries, each with `tenants` (patterns of ids) and `hosts` (2 to 100)',
    unit: null,
    required: false,
  })
  return schema
}
