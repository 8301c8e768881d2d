/** The address of a webhook in a file of its own: no copy of the configuration then holds it. */

import { Failure } from '../../model/failure.ts'
import { readToken } from '../../service/client/token.ts'

/** Reads the file anew for each alarm: an operator may replace the address while a run goes on. */
export async function readWebhookFile(file: string): Promise<{ readonly url: string } | { readonly why: string }> {
  try {
    const text = await readToken(file, { what: 'the file', setting: 'webhookFile' })
    const url = URL.parse(text)
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
      return { why: `${file} holds no address that begins with https:// or http://` }
    return { url: url.href }
  } catch (error) {
    if (error instanceof Failure) return { why: error.message }
    throw error
  }
}
