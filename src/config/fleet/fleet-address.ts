/** The kinds of value in the section `fleet`: where the database is, when sweeps begin, and names of hosts. */

import { resolve } from 'node:path'
import { plainText, type Kind } from '../value.ts'
import type { FleetAddress } from './fleet-settings.ts'

type AddressParseResult = { readonly value: FleetAddress } | { readonly refused: string }

const postgresPort = 5432

/** `pglite:/var/lib/holdfast/fleet` or `postgres://user@host/database`. */
export const fleetAddress = (folder: string): Kind<FleetAddress> => ({
  expected: 'pglite:/path/of/folder or postgres://user@host/database',
  read(given): AddressParseResult | null {
    if (typeof given !== 'string' || given.includes('\0')) return null
    if (given.startsWith('pglite:')) return pgliteAddress(given.slice('pglite:'.length), folder)
    return /^postgres(?:ql)?:\/\//i.test(given) ? postgresAddress(given) : null
  },
})

function pgliteAddress(path: string, folder: string): AddressParseResult {
  if (path === '' || path.startsWith('//'))
    return { refused: 'expected the path of a folder after pglite:, such as pglite:/var/lib/holdfast/fleet' }
  const dir = resolve(folder, path)
  if (dir === '/') return { refused: 'must not be the root of the file system' }
  return { value: { kind: 'pglite', dir } }
}

/** A message never repeats the address: it may hold a password. */
function postgresAddress(given: string): AddressParseResult {
  const url = URL.parse(given)
  if (url === null) return { refused: 'is no address: expected postgres://user@host/database' }
  if (url.password !== '') return { refused: 'must not carry a password: name its file with fleet.passwordFile' }
  const socket = url.searchParams.get('host')
  const host = socket ?? url.hostname.replace(/^\[|\]$/g, '')
  if (host === '' || (socket !== null && !socket.startsWith('/')))
    return { refused: 'needs a host: postgres://user@host/database, or postgres:///database?host=/run/postgresql' }
  if ([...url.searchParams.keys()].some((key) => key !== 'host') || url.hash !== '')
    return { refused: 'must have no parameters but host: the connection is always verified (see fleet.caFile)' }
  const user = decodeEscapes(url.username)
  const database = decodeEscapes(url.pathname.slice(1))
  if (database === '' || database.includes('/'))
    return { refused: 'needs the name of a database: postgres://user@host/database' }
  return {
    value: {
      kind: 'postgres',
      host,
      port: url.port === '' ? postgresPort : Number(url.port),
      user: user === '' ? null : user,
      database,
    },
  }
}

/** Empty if it is not escaped as in an address. */
function decodeEscapes(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

/** Part of the names of queues and of the reports: no blanks, nothing that a terminal could take for something else. */
export const hostName: Kind<string> = plainText(
  'the name of this host in the fleet: letters, digits, dots and dashes, such as db7',
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
)

export const domainName: Kind<string> = plainText(
  'the name of a failure domain: letters, digits, dots and dashes, such as zone-a',
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
)

const cronField = String.raw`[\d*/,A-Za-z-]{1,100}`

export const cronTimes: Kind<string> = plainText(
  'five fields of cron such as "0 2 * * *"',
  new RegExp(`^${cronField}(?: ${cronField}){4}$`),
)

export const timeZone: Kind<string> = {
  expected: 'a time zone such as Europe/Berlin',
  read: (given) => (typeof given === 'string' && isZone(given) ? { value: given } : null),
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
