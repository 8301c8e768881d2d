/** Addresses in the configuration. */

import { resolve } from 'node:path'
import type { Endpoint } from '../settings.ts'

type EndpointParseResult = { readonly value: Endpoint } | { readonly refused: string }

/** The kernel's limit for the path of a unix socket, without its closing NUL. */
const socketPathBytesMax = 107

/** `unix:/run/notes/admin.sock` or `https://host:port`. */
export const endpointKind = (folder: string) => ({
  expected: 'unix:/path/of/admin.sock or https://host:port',
  read(given: unknown): EndpointParseResult | null {
    if (typeof given !== 'string' || given.includes('\0')) return null
    if (given.startsWith('unix:')) return unixEndpoint(given.slice('unix:'.length), folder)
    if (/^http:/i.test(given))
      return {
        refused:
          'plain http would send the token and the lease unprotected: use ' +
          'unix:/path/of/admin.sock on this machine, or https://host:port',
      }
    return /^https:\/\//i.test(given) ? httpsEndpoint(given) : null
  },
})

function unixEndpoint(path: string, folder: string): EndpointParseResult {
  if (path === '' || path.startsWith('//'))
    return { refused: 'expected the path of a socket after unix:, such as unix:/run/notes/admin.sock' }
  const socket = resolve(folder, path)
  const bytes = Buffer.byteLength(socket)
  if (bytes > socketPathBytesMax)
    return { refused: `the path of a socket has at most ${socketPathBytesMax} bytes, this one has ${bytes}` }
  return { value: { kind: 'unix', socket } }
}

function httpsEndpoint(given: string): EndpointParseResult {
  const url = URL.parse(given)
  if (url === null || url.hostname === '') return { refused: 'is no address: expected https://host:port' }
  if (url.username !== '' || url.password !== '')
    return { refused: 'must not carry a user or password: name a token file with service.tokenFile' }
  if (url.search !== '' || url.hash !== '')
    return { refused: 'must end with the host, the port or a path: expected https://host:port' }
  return { value: { kind: 'https', url: url.href.replace(/\/+$/, '') } }
}
