/**
 * A fleet as SETUP.md has it set up: its roles with passwords, its line of pg_hba.conf, a certificate from an authority
 * of the test, and files with passwords. The tables are made by the coordinator.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FleetSettings } from '../../../src/config/fleet/fleet-settings.ts'
import { openFleetDatabase } from '../../../src/fleet/database/open-database.ts'
import { freePort } from '../real/real-program.ts'
import { makeAuthority, type CertificateAuthority } from '../service/certificates.ts'
import { setUpFile, setUpRoles, type FleetRole } from './fleet-roles.ts'
import type { Network } from './networks.ts'
import { PostgresCluster } from './postgres-cluster.ts'

export interface EncryptedFleet extends AsyncDisposable {
  /** For files that belong to it. */
  readonly folder: string
  readonly authority: CertificateAuthority
  readonly cluster: PostgresCluster
  /** How a role connects by TCP. */
  access(role: FleetRole, port?: number): Pick<FleetSettings, 'database' | 'passwordFile' | 'caFile'>
  /** Lines of the section `fleet`, without the database. */
  linesOf(role: FleetRole): readonly string[]
}

export const passwordOf = (role: FleetRole): string => `secret-of-${role}`

/**
 * @param address where the server listens. holdfast takes 127.0.0.2 for another machine, and encrypts.
 * @param network null: that of the test
 */
export async function openEncryptedFleet(address: string, network: Network | null = null): Promise<EncryptedFleet> {
  await using opened = new AsyncDisposableStack()
  const folder = opened.adopt(mkdtempSync(join(tmpdir(), 'fleet-')), (made) => rmSync(made, { recursive: true }))
  const authority = makeAuthority(folder)
  const port = network === null ? await freePort() : 5432
  const cluster = opened.use(
    await PostgresCluster.start({
      listen: { address, port },
      // The first line that fits counts.
      access: [
        ...setUpFile('local').split('\n'),
        ...setUpFile('hostssl')
          .replace('10.0.0.0/8', network === null ? '127.0.0.0/8' : '10.0.0.0/8')
          .split('\n'),
      ],
      certificate: authority.issue('db', [`IP:${address}`]),
      network,
    }),
  )
  await setUpRoles(cluster)
  const passwordFile = (role: FleetRole): string => join(folder, `${role}.password`)
  await using database = await openFleetDatabase({ database: cluster.address, passwordFile: null, caFile: null })
  for (const role of ['holdfast_coordinator', 'holdfast_agent', 'holdfast_reader'] as const) {
    await database.query(`alter role ${role} password '${passwordOf(role)}'`)
    writeFileSync(passwordFile(role), `${passwordOf(role)}\n`, { mode: 0o600 })
  }
  const kept = opened.move()
  return {
    folder,
    authority,
    cluster,
    access: (role, through = port) => ({
      database: { kind: 'postgres', host: address, port: through, user: role, database: 'holdfast' },
      passwordFile: passwordFile(role),
      caFile: authority.caFile,
    }),
    linesOf: (role) => [`passwordFile: "${passwordFile(role)}"`, `caFile: "${authority.caFile}"`],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
