/** The registry, the files, the backups and the ledger against each other (I2.3). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { openLedger } from '../../src/ledger/open-ledger.ts'
import { newRunId } from '../../src/ledger/run-lock/run-id.ts'
import { tenantId } from '../../src/model/brand.ts'
import type { ReconciliationReport } from '../../src/model/reconciliation.ts'
import { makeDatabase } from '../support/cli/folder.ts'
import { problemsOfOutput } from '../support/cli/json-documents.ts'
import { holdfast } from '../support/cli/program.ts'
import { openService, type TestService } from '../support/cli/service.ts'
import { openRegistryProxy } from '../support/service/registry-proxy.ts'

async function reconciled(config: string): Promise<ReconciliationReport> {
  const ran = await holdfast(['reconcile', '--json', '--config', config])
  expect(problemsOfOutput(ran.stdout)).toEqual([])
  const report = JSON.parse(ran.stdout) as ReconciliationReport
  expect(ran.code).toBe(report.summary.exitCode)
  return report
}

/** The rule of each disagreement, with what it is about. */
const shortDisagreements = ({ disagreements }: ReconciliationReport): readonly string[] =>
  disagreements.map(({ rule, tenant, path }) => [rule, tenant, path?.split('/').at(-1)].filter(Boolean).join(' '))

/** Made an hour before the list of tenants is asked for, as far as the file system lets us say so. */
const inFlightOf = ({ inFlight }: ReconciliationReport): readonly string[] =>
  inFlight.map(({ rule, tenant, path }) => [rule, tenant, path?.split('/').at(-1)].filter(Boolean).join(' '))

const withBackups = (service: TestService): void => {
  const settings = JSON.parse(readFileSync(service.config, 'utf8')) as object
  writeFileSync(service.config, JSON.stringify({ ...settings, backups: { dir: service.folder.in('backups') } }))
}

test('I2.3: all agree after a sweep, in text, in JSON and silently, and no tenant is touched', async () => {
  await using service = await openService()
  withBackups(service)
  expect((await holdfast(['sweep', '--config', service.config])).code).toBe(0)
  service.actions.splice(0)
  const report = await reconciled(service.config)
  expect(report).toMatchObject({
    run: { registry: 'live' },
    sources: { registry: { tenants: 2, files: 2 }, backups: { files: 2 }, ledger: { files: 2 } },
    disagreements: [],
    notCompared: [],
    summary: { agree: true, exitCode: 0 },
  })
  const text = await holdfast(['reconcile', '--config', service.config])
  expect([text.code, text.stdout]).toEqual([0, '2 tenants, 2 files, backups of 2 files: all agree. Exit code 0.\n'])
  const quiet = await holdfast(['reconcile', '--quiet', '--config', service.config])
  expect([quiet.code, quiet.stdout, quiet.stderr]).toEqual([0, '', ''])
  expect(service.actions).toEqual([])
})

test('I2.3: files that no tenant claims, and companions without their database, are named', async () => {
  await using service = await openService({
    tenants: (data) => {
      for (const folder of ['deep', 'deep/er', '.hidden']) mkdirSync(join(data, folder))
      makeDatabase(join(data, 'stray.db'))
      // By its first bytes alone.
      renameSync(makeDatabase(join(data, 'deep/x.db')), join(data, 'deep/er/no-ending'))
      makeDatabase(join(data, '.hidden/below.sqlite'))
      writeFileSync(join(data, 'gone.db-wal'), Buffer.alloc(100, 1))
      writeFileSync(
        join(data, 'other-journal'),
        Buffer.of(0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7, 0, 0, 0, 0, 0, 0, 0, 0),
      )
      // None of these is a database.
      writeFileSync(join(data, 'notes.txt'), 'plain')
      writeFileSync(join(data, 'server-journal'), 'a diary')
      writeFileSync(join(data, '.holdfast-draft'), readFileSync(join(data, 'stray.db')))
      const outside = makeDatabase(join(dirname(data), 'outside.db'))
      symlinkSync(outside, join(data, 'leads-out.db'))
      symlinkSync(dirname(data), join(data, 'folder-out'))
      symlinkSync('acme.db', join(data, 'alias.db'))
      return { acme: join(data, 'acme.db') }
    },
  })
  const report = await reconciled(service.config)
  expect(shortDisagreements(report)).toEqual([
    'unknown-file below.sqlite',
    'unknown-file no-ending',
    'unknown-file stray.db',
    'companion-without-main gone.db-wal',
    'companion-without-main other-journal',
  ])
  expect(report.summary).toMatchObject({ agree: false, exitCode: 3, byRule: { 'unknown-file': 3 } })
  const links = report.sources.files.links.map((path) => path.split('/').at(-1))
  expect(new Set(links)).toEqual(new Set(['folder-out', 'leads-out.db']))
  const text = await holdfast(['reconcile', '--config', service.config])
  expect(text.stdout).toMatch(/Databases that no tenant claims: 3 \(unknown-file\)/)
  expect(text.stdout).toContain(`holdfast check --config ${service.config} ${join(service.data, 'stray.db')}`)
})

test('I2.3: files that are missing, outside, or claimed by two tenants by any name are named', async () => {
  await using service = await openService({
    tenants: (data) => {
      const shared = makeDatabase(join(data, 'shared.db'))
      symlinkSync('shared.db', join(data, 'link.db'))
      linkSync(makeDatabase(join(data, 'hard.db')), join(data, 'hard2.db'))
      const outside = makeDatabase(join(dirname(data), 'outside.db'))
      return {
        acme: join(data, 'acme.db'),
        one: shared,
        two: join(data, 'link.db'),
        three: join(data, 'hard.db'),
        four: join(data, 'hard2.db'),
        out: outside,
        lost: join(data, 'lost.db'),
      }
    },
  })
  unlinkSync(join(service.data, 'lost.db'))
  const report = await reconciled(service.config)
  const said = Object.fromEntries(report.disagreements.map(({ path, said }) => [path?.split('/').at(-1), said]))
  expect(shortDisagreements(report)).toEqual([
    expect.stringMatching(/^claimed-twice (?:three|four) hard2?\.db$/),
    'claimed-twice one shared.db',
    'missing-file lost lost.db',
    'outside-roots out outside.db',
    'companion-without-main lost.db-wal',
  ])
  expect(said['shared.db']).toMatch(/2 tenants claim one file: one as .*shared\.db, two as .*link\.db/)
  expect(report.summary.exitCode).toBe(3)
})

test('I2.3: what only the ledger or the backups know is named, and a tenant without a backup', async () => {
  const gone = new Set<string>()
  await using service = await openService({
    tenants: (data) => Object.fromEntries(['acme', 'bolt', 'crate'].map((id) => [id, `${data}/${id}.db`])),
    isListed: (id) => !gone.has(id),
  })
  withBackups(service)
  expect((await holdfast(['sweep', '--config', service.config])).code).toBe(0)
  gone.add('bolt')
  const lost = await reconciled(service.config)
  expect(shortDisagreements(lost)).toEqual([
    'tenant-gone bolt bolt.db',
    'unknown-file bolt.db',
    'backup-without-tenant bolt bolt.db',
  ])
  // The file lies where it was: that is how it can be found again.
  rmSync(join(service.data, 'bolt.db'))
  expect((await holdfast(['sweep', '--config', service.config])).code).toBe(3)
  for (const part of ['-wal', '-shm']) rmSync(join(service.data, `bolt.db${part}`))
  expect(shortDisagreements(await reconciled(service.config))).toEqual(['backup-without-tenant bolt bolt.db'])
  rmSync(join(service.folder.in('backups')), { recursive: true })
  expect(shortDisagreements(await reconciled(service.config))).toEqual([
    'no-verified-backup acme acme.db',
    'no-verified-backup crate crate.db',
  ])
})

test('I2.3: a hold that a crash left is named; a tenant that is newer than the last sweep is under way', async () => {
  const listed = new Set(['acme'])
  await using service = await openService({
    tenants: (data) => ({ acme: `${data}/acme.db`, newer: `${data}/newer.db` }),
    isListed: (id) => listed.has(id),
  })
  rmSync(join(service.data, 'newer.db'))
  expect((await holdfast(['sweep', '--config', service.config])).code).toBe(0)
  makeDatabase(join(service.data, 'newer.db'))
  listed.add('newer')
  withBackups(service)
  const report = await reconciled(service.config)
  expect(shortDisagreements(report)).toEqual(['no-verified-backup acme acme.db'])
  expect(inFlightOf(report)).toEqual(['never-checked newer newer.db', 'no-verified-backup newer newer.db'])
  const way = { service: 'test', via: 'admin-api', address: service.socket, config: service.config } as const
  const tenant = tenantId('acme')
  {
    await using ledger = await openLedger(service.ledger, newRunId(), way)
    await ledger.append({ kind: 'hold-asked', tenant, holder: 'h', endsBy: Date.now() - 1000 })
  }
  const held = await reconciled(service.config)
  expect(shortDisagreements(held)).toEqual(['open-hold acme', 'no-verified-backup acme acme.db'])
  expect(held.disagreements[0]?.next).toBe('holdfast resume --all')
  const otherWay = { ...way, address: '/run/other.sock', config: '/etc/other way.yaml' }
  {
    await using ledger = await openLedger(service.ledger, newRunId(), otherWay)
    await ledger.append({ kind: 'hold-asked', tenant: tenantId('-odd'), holder: 'other', endsBy: Date.now() - 1000 })
  }
  const { disagreements } = await reconciled(service.config)
  expect(disagreements.find((one) => one.tenant === '-odd')?.next).toBe(
    "holdfast resume --config '/etc/other way.yaml' -- -odd",
  )
})

test('I2.3: a tenant that is made while reconcile looks is no disagreement', async () => {
  const listed = new Set<string>()
  await using service = await openService({
    tenants: (data) => ({
      acme: `${data}/acme.db`,
      ...Object.fromEntries(['made'].map((id) => [id, `${data}/${id}.db`])),
    }),
    isListed: (id) => id === 'acme' || listed.has(id),
  })
  // Its file lies there, and the service lists it a moment later: before the second look.
  const timer = setTimeout(() => listed.add('made'), 600)
  const running = reconciled(service.config)
  const report = await running
  clearTimeout(timer)
  expect(shortDisagreements(report)).toEqual([])
})

test('I5.1: with a copy of the list nothing is called gone, and the exit code is 3', async () => {
  await using service = await openService()
  const socket = service.folder.in('proxy.sock')
  await using proxy = await openRegistryProxy(socket, service.socket)
  const settings = JSON.parse(readFileSync(service.config, 'utf8')) as { service: object }
  writeFileSync(
    service.config,
    JSON.stringify({ ...settings, service: { ...settings.service, admin: `unix:${socket}` } }),
  )
  expect((await reconciled(service.config)).summary.exitCode).toBe(0)
  proxy.answer = 'empty'
  const report = await reconciled(service.config)
  expect(report).toMatchObject({ disagreements: [], summary: { agree: false, exitCode: 3 } })
  expect(report.run.registry).toMatch(/^cached since /)
  makeDatabase(join(service.data, 'since.db'))
  expect(inFlightOf(await reconciled(service.config))).toEqual(['unknown-file since.db'])
})

test('a folder that cannot be read is named, and nothing is said about it', async () => {
  await using service = await openService()
  const settings = JSON.parse(readFileSync(service.config, 'utf8')) as { tenants: { roots: string[] } }
  const roots = [...settings.tenants.roots, '/nowhere/at/all']
  writeFileSync(service.config, JSON.stringify({ ...settings, tenants: { roots } }))
  const report = await reconciled(service.config)
  expect(report.notCompared).toEqual([{ what: '/nowhere/at/all', why: expect.stringContaining('does not exist') }])
  expect(report.summary).toMatchObject({ agree: false, disagreements: 0, exitCode: 3 })
})

/** How the kernel lists the lease on this file: `ACTIVE`, or `BREAKING` once another program has tried to open it. */
function leaseOn(path: string): string | undefined {
  const { ino } = statSync(path)
  const line = readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .find((one) => one.includes('LEASE') && one.includes(`:${ino} `))
  return /ACTIVE|BREAKING|BREAKER/.exec(line ?? '')?.[0]
}

test('a file that a tenant claims is never opened: a kernel lease of a hold on it stands', async () => {
  await using service = await openService({
    tenants: (data) => {
      // The service itself does not open it, so that another program can get the lease.
      mkdirSync(join(dirname(data), 'apart'))
      return { acme: join(data, 'acme.db'), held: makeDatabase(join(dirname(data), 'apart/no-ending')) }
    },
  })
  const settings = JSON.parse(readFileSync(service.config, 'utf8')) as { tenants: { roots: string[] } }
  const roots = [...settings.tenants.roots, service.folder.in('apart')]
  writeFileSync(service.config, JSON.stringify({ ...settings, tenants: { roots } }))
  const claimed = service.folder.in('apart/no-ending')
  const stray = makeDatabase(service.folder.in('apart/stray'))
  await using leases = await leaseHolders(claimed, stray)
  expect([leaseOn(claimed), leaseOn(stray)]).toEqual(['ACTIVE', 'ACTIVE'])
  expect(shortDisagreements(await reconciled(service.config))).toEqual(['unknown-file stray'])
  expect([leaseOn(claimed), leaseOn(stray)]).toEqual(['ACTIVE', 'BREAKING'])
  expect(leases.count).toBe(2)
})

/** Each file gets a process that holds a kernel lease on it. */
async function leaseHolders(...files: readonly string[]): Promise<AsyncDisposable & { readonly count: number }> {
  const children = files.map((file) =>
    spawn(process.execPath, [join(import.meta.dirname, '../support/programs/lease-holder.ts'), file], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  for (const child of children) {
    await once(child.stdout, 'data')
    child.stdin.write('now\n')
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    expect(said.toString()).toBe('leased\n')
  }
  return {
    count: children.length,
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        child.stdin.end()
        if (child.exitCode === null) await once(child, 'exit')
      }
    },
  }
}
