/**
 * The connection to the database of another machine: encrypted, with a certificate that proves its name, or none at
 * all. 127.0.0.2 counts as another machine.
 */
import { chmodSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { Failure } from '../../../src/model/failure.ts'
import { holdfast } from '../../support/cli/program.ts'
import { textOf } from '../../support/fleet/agent-hosts.ts'
import { openEncryptedFleet, passwordOf, type EncryptedFleet } from '../../support/fleet/encrypted-fleet.ts'
import { noPostgres } from '../../support/fleet/postgres-cluster.ts'
import { startRecordingServer } from '../../support/fleet/recording-server.ts'
import { makeAuthority, type IssuedCertificate } from '../../support/service/certificates.ts'

const here = '127.0.0.2'
const secret = passwordOf('holdfast_agent')

describe.skipIf(noPostgres !== null)(`PostgreSQL${noPostgres === null ? '' : ` (skipped: ${noPostgres})`}`, () => {
  const opened = new AsyncDisposableStack()
  let fleet: EncryptedFleet
  beforeAll(async () => {
    fleet = opened.use(await openEncryptedFleet(here))
  })
  afterAll(() => opened.disposeAsync())

  type Access = ReturnType<EncryptedFleet['access']>
  const answerOf = async (access: Access): Promise<unknown> => {
    await using database = await openFleetDatabase(access, 10_000)
    return (await database.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).rows
  }
  const failureOf = async (access: Access): Promise<Failure> => {
    const answer = await answerOf(access).catch((error: unknown) => error)
    if (!(answer instanceof Failure)) throw new Error(`no failure: ${JSON.stringify(answer)}`)
    return answer
  }
  const start = async (certificate: IssuedCertificate | null): Promise<void> => {
    await fleet.cluster.stop('fast')
    fleet.cluster.encrypt(certificate)
    await fleet.cluster.serve()
  }

  it('a certificate of the authority of fleet.caFile is good, and the connection is encrypted', async () => {
    expect(await answerOf(fleet.access('holdfast_agent'))).toEqual([{ ssl: true }])
  })

  it('without fleet.caFile the same server is refused', async () => {
    const failure = await failureOf({ ...fleet.access('holdfast_agent'), caFile: null })
    expect(failure).toMatchObject({ code: 'FLEET_REFUSED', hint: expect.stringContaining('fleet.caFile') })
  })

  const cases = [
    {
      server: 'with a certificate of another authority',
      certificate: () => makeAuthority(fleet.folder, 'other').issue('foreign', [`IP:${here}`]),
      message: /was not signed by an authority that this host trusts for it$/,
      hint: 'name the certificate of the authority in fleet.caFile',
    },
    {
      server: 'with a certificate that signed itself',
      certificate: () => {
        const { caFile } = makeAuthority(fleet.folder, 'own')
        return { certFile: caFile, keyFile: caFile.replace(/pem$/, 'key') }
      },
      message: /was not signed by an authority that this host trusts for it$/,
      hint: 'name the certificate of the authority in fleet.caFile',
    },
    {
      server: 'with a certificate for another name',
      certificate: () => fleet.authority.issue('db.example', ['DNS:db.example', 'IP:127.0.0.1']),
      message: /is for another name: it is for DNS:db\.example, IP Address:127\.0\.0\.1$/,
      hint: 'write a name that the certificate has in fleet.database',
    },
    {
      server: 'with a certificate that has expired',
      certificate: () => fleet.authority.issue('expired', [`IP:${here}`], -1),
      message: /the certificate of the server has expired$/,
      hint: 'give the server a new certificate',
    },
    {
      server: 'without encryption',
      certificate: () => null,
      message: /the server offers no encryption, so it got no password$/,
      hint: 'set `ssl = on` on the server',
    },
  ] as const

  it.each(cases)('a server $server is refused, with a next step', async ({ certificate, message, hint }) => {
    await start(certificate())
    const failure = await failureOf(fleet.access('holdfast_agent'))
    expect(failure).toMatchObject({
      code: 'FLEET_REFUSED',
      message: expect.stringMatching(message),
      hint: expect.stringContaining(hint),
    })
    expect(failure.message).toContain(`postgres://${here}:`)
  })

  it.each(cases)('a program $server never gets the password', async ({ certificate }) => {
    await using server = await startRecordingServer(here, certificate())
    const access = fleet.access('holdfast_agent', server.port)
    expect(await failureOf(access)).toMatchObject({ code: 'FLEET_REFUSED' })
    // The question whether it encrypts, and nothing else.
    expect(Buffer.from(server.heard(), 'latin1').toString('hex')).toBe('0000000804d2162f')
  })

  it('the server that is proven gets it', async () => {
    await using server = await startRecordingServer(here, fleet.authority.issue('good', [`IP:${here}`]))
    await using database = await openFleetDatabase(fleet.access('holdfast_agent', server.port), 1_000)
    await expect(database.query('select 1')).rejects.toMatchObject({ code: 'FLEET_UNREACHABLE' })
    expect(server.heard()).toContain(secret)
  })

  it('variables of the environment weaken none of this, and no command prints the password', async () => {
    await using server = await startRecordingServer(here, cases[0].certificate())
    const { database } = fleet.access('holdfast_agent', server.port)
    const config = `${fleet.folder}/holdfast.yaml`
    writeFileSync(
      config,
      [
        'service: { name: notes, admin: "unix:/run/notes/admin.sock" }',
        `tenants: { roots: ["${fleet.folder}"] }`,
        `ledger: { dir: "${fleet.folder}/ledger" }`,
        `fleet:`,
        `  database: "${textOf(database)}"`,
        '  host: alpha',
        ...fleet.linesOf('holdfast_agent').map((line) => `  ${line}`),
      ].join('\n'),
    )
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0', PGSSLMODE: 'disable', PGPASSWORD: secret }
    const { code, stdout, stderr } = await holdfast(['agent', '--config', config], { env })
    expect([code, stdout]).toEqual([78, ''])
    expect(stderr).toContain('was not signed by an authority that this host trusts')
    expect(stderr).toContain('  next: name the certificate of the authority in fleet.caFile')
    expect(stderr).not.toContain(secret)
    expect(server.heard()).not.toContain(secret)
  })

  it('a file of authorities that others can change, or that has none, is refused before a connection', async () => {
    const access = fleet.access('holdfast_agent')
    const caFile = `${fleet.folder}/none.pem`
    writeFileSync(caFile, 'no certificate\n')
    const refused = (why: RegExp) => ({ code: 'CONFIG_INVALID', message: expect.stringMatching(why) })
    await expect(answerOf({ ...access, caFile })).rejects.toMatchObject(refused(/fleet\.caFile .*no certificate in/))
    chmodSync(caFile, 0o666)
    await expect(answerOf({ ...access, caFile })).rejects.toMatchObject(refused(/could be changed by another user/))
  })
})
