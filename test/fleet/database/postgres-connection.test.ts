/** How a host connects to PostgreSQL: nothing leaves the machine unencrypted, or to a server that is not verified. */
import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { loadPgBoss } from '../../../src/fleet/database/optional-packages.ts'
import { postgresConnection } from '../../../src/fleet/database/postgres.ts'
import { makeFolder } from '../../support/cli/folder.ts'

const address = { kind: 'postgres', host: 'db.example', port: 5432, user: 'holdfast', database: 'holdfast' } as const
const access = { passwordFile: null, caFile: null }

it('another machine is verified always, this one without a certificate not', async () => {
  expect((await postgresConnection(address, access)).ssl).toEqual({ rejectUnauthorized: true })
  expect((await postgresConnection({ ...address, host: '/run/postgresql' }, access)).ssl).toBe(false)
  expect((await postgresConnection({ ...address, host: '127.0.0.1' }, access)).ssl).toBe(false)
  using folder = makeFolder()
  const caFile = folder.in('ca.pem')
  const authority = '-----BEGIN CERTIFICATE-----\n'
  writeFileSync(caFile, authority)
  const verified = { rejectUnauthorized: true, ca: Buffer.from(authority) }
  expect((await postgresConnection({ ...address, host: 'localhost' }, { ...access, caFile })).ssl).toEqual(verified)
})

it('the password is read for each connection, from a file that only its owner can read', async () => {
  using folder = makeFolder()
  const passwordFile = folder.in('password')
  writeFileSync(passwordFile, 'first\n', { mode: 0o600 })
  const { password } = await postgresConnection(address, { ...access, passwordFile })
  const read = password as () => Promise<string>
  expect(await read()).toBe('first')
  writeFileSync(passwordFile, 'second\n')
  expect(await read()).toBe('second')
  const open = folder.in('open')
  writeFileSync(open, 'known\n', { mode: 0o644 })
  const other = await postgresConnection(address, { ...access, passwordFile: open })
  await expect((other.password as () => Promise<string>)()).rejects.toThrow(/can be read or written by others/)
})

it('the packages of the fleet are there in development', async () => {
  expect((await loadPgBoss()).PgBoss).toBeTypeOf('function')
})
