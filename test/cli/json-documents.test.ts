/**
 * What `status`, `history`, `doctor`, `holders`, `resume` and `explain` print for `--json` in many states. Each
 * document is compared with its published schema as it is read (test/support/cli/program.ts). These tests bring about
 * the states.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { openHookedService } from '../support/cli/hooked-service.ts'
import { resultOf, holdfast, killWithGuardian, start, type RunningProgram } from '../support/cli/program.ts'
import { openService } from '../support/cli/service.ts'

type Document = Readonly<Record<string, unknown>>

/** @param config the configuration that the command is given; null for none */
async function documentOf(
  args: readonly string[],
  config: string | null,
  ...codes: readonly number[]
): Promise<Document> {
  const ran = await holdfast([...args, '--json', ...(config === null ? [] : ['--config', config])])
  expect(codes, `${args.join(' ')}: ${ran.stdout}${ran.stderr}`).toContain(ran.code)
  return JSON.parse(ran.stdout) as Document
}

test('a hold by hooks that a killed run left: open, of another service, resumed', async () => {
  let sweeping: RunningProgram | null = null
  await using service = await openHookedService({
    tenants: { acme: { wal: true } },
    onPause: () => killWithGuardian(sweeping),
  })
  const [unknown, empty] = await Promise.all(
    ['status', 'history'].map((command) => documentOf([command], service.config, 0)),
  )
  expect(unknown).toMatchObject({ schema: 'holdfast.status/1', state: 'UNKNOWN', tenants: [], lastFullSweepAt: null })
  expect(empty).toEqual({ schema: 'holdfast.history/1', incident: null, entries: [], changes: [], more: false })
  sweeping = start(['sweep', '--config', service.config])
  await resultOf(sweeping)
  sweeping = null
  expect(service.paused()).toEqual(['acme'])
  const renamed = service.folder.in('other.yaml')
  const settings = JSON.parse(readFileSync(service.config, 'utf8')) as { readonly service: object }
  writeFileSync(renamed, JSON.stringify({ ...settings, service: { ...settings.service, name: 'other' } }), {
    mode: 0o600,
  })

  const [own, others] = await Promise.all([service.config, renamed].map((config) => documentOf(['status'], config, 0)))
  expect(own).toMatchObject({ state: 'CRITICAL', openHolds: [{ tenant: 'acme', leftBehind: true }], otherHolds: [] })
  expect(others).toMatchObject({
    openHolds: [],
    otherHolds: [{ tenant: 'acme', whose: 'another-service', service: 'notes' }],
  })
  expect(await documentOf(['resume', '--all'], renamed, 0)).toMatchObject({
    holds: [],
    others: [{ tenant: 'acme', whose: 'another-service' }],
  })
  expect(await documentOf(['resume', 'acme'], service.config, 0)).toMatchObject({
    holds: [{ tenant: 'acme', resumed: true, failure: null, written: true }],
  })
  expect(await documentOf(['check', '--tenant', 'acme'], service.config, 0)).toMatchObject({
    schema: 'holdfast.report/1',
  })
  const [status, history, doctor] = await Promise.all(
    [['status'], ['history', 'acme'], ['doctor', '--tenant', 'acme']].map((args) =>
      documentOf(args, service.config, 0),
    ),
  )
  expect(status).toMatchObject({ state: 'WARNING', counts: { sound: 1 } })
  expect(history).toMatchObject({ entries: [{ tenant: 'acme', verdict: 'sound', level: 'sealed' }] })
  expect(doctor).toMatchObject({ schema: 'holdfast.fitness/1' })
})

test('a lease of a run whose ledger was lost: which holds stand open is unknown', async () => {
  let sweeping: RunningProgram | null = null
  await using service = await openService({
    tenants: (data) => ({ acme: join(data, 'acme.db') }),
    settings: { hold: { ttl: '60s' } },
    onClose: () => killWithGuardian(sweeping),
  })
  sweeping = start(['sweep', '--config', service.config])
  await resultOf(sweeping)
  sweeping = null
  rmSync(service.ledger, { recursive: true })
  expect(await documentOf(['resume', '--all'], service.config, 4)).toMatchObject({
    holds: [],
    unknown: true,
    leases: [{ tenant: 'acme' }],
  })
  expect(await documentOf(['resume', 'acme'], service.config, 0)).toMatchObject({
    holds: [{ tenant: 'acme', resumed: true }],
  })
  expect(await documentOf(['resume', 'nobody'], service.config, 64)).toMatchObject({
    schema: 'holdfast.failure/1',
    failure: { code: 'TENANT_UNKNOWN' },
  })
  service.vanish()
  const doctor = await documentOf(['doctor', '--tenant', 'acme'], service.config, 1)
  expect(doctor['steps']).toEqual(
    expect.arrayContaining(
      ['fit', 'unfit', 'skipped'].map((outcome) => expect.objectContaining({ outcome }) as unknown),
    ),
  )
})

test('holders: none, and a program that has the file', async () => {
  using folder = makeFolder()
  const path = makeDatabase(folder.in('a.db'))
  // 3 where another program on this machine has more rights than ours: its files are not seen.
  expect(await documentOf(['holders', path], null, 0, 3)).toMatchObject({
    schema: 'holdfast.holders/1',
    path,
    holders: [],
  })
  const open = new Database(path)
  open.exec('BEGIN IMMEDIATE')
  expect(await documentOf(['holders', path], null, 75)).toMatchObject({
    holders: [{ pid: process.pid, modes: expect.arrayContaining(['write', 'lock']) as string[] }],
  })
  open.close()
  expect(await documentOf(['holders', folder.in('missing.db')], null, 1)).toMatchObject({
    schema: 'holdfast.failure/1',
    exitCode: 1,
  })
})

test('explanations of each kind, and the list of them', async () => {
  const [topics, key, twice, unknown, failed] = await Promise.all([
    documentOf(['explain'], null, 0),
    documentOf(['explain', 'hold.ttl'], null, 0),
    documentOf(['explain', 'none'], null, 0),
    documentOf(['explain', 'hold.tttl'], null, 64),
    documentOf(['status'], '/nonexistent.yaml', 78),
  ])
  expect(topics).toMatchObject({
    schema: 'holdfast.topics/1',
    topics: expect.arrayContaining([
      { topic: 'hold.ttl', kind: 'configuration key' },
      { topic: 'IN_USE', kind: 'failure' },
    ]) as unknown,
  })
  expect(key).toMatchObject({ topic: 'hold.ttl', value: { unit: 'ms, s, m, h, d', default: '30s', required: false } })
  expect(twice).toMatchObject({ kind: 'damage class', others: [{ kind: 'seal level' }] })
  expect(unknown).toMatchObject({
    schema: 'holdfast.failure/1',
    failure: { code: 'USAGE', hint: expect.stringContaining('hold.ttl') as string },
  })
  expect(failed).toMatchObject({ schema: 'holdfast.failure/1', failure: { code: 'CONFIG_INVALID' } })
})
