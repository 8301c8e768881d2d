/** A service that gives no valid list of tenants: runs go on with the copy of the last one (I5.1, I5.2, I3.1). */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCheckedText, writeCheckedText } from '../../../src/host/private-files/checked-file.ts'
import { shortVerdict, holdfast, reportIn, reportOf } from '../../support/cli/program.ts'
import { openScriptedService } from '../../support/cli/scripted-service.ts'
import { openService, type TestServiceOptions } from '../../support/cli/service.ts'
import { openRegistryProxy, type ListAnswer, type RegistryProxy } from '../../support/service/registry-proxy.ts'

const title = 'holdfast.registry-copy/1'
const hourMs = 3_600_000
const cached = /^cached since \d{4}-\d\d-\d\dT[\d:.]+Z$/

interface Scene extends AsyncDisposable {
  readonly config: string
  readonly copy: string
  readonly ledger: string
  readonly actions: string[]
  readonly proxy: RegistryProxy
  vanish(): Promise<void>
}

/** A service behind a proxy, which was swept once: so there is a copy of its list. */
async function sweptService(options: TestServiceOptions = {}, registry: object = {}): Promise<Scene> {
  const service = await openService({ ...options, settings: { ...options.settings, registry } })
  const socket = service.folder.in('proxy.sock')
  const proxy = await openRegistryProxy(socket, service.socket)
  const settings = JSON.parse(readFileSync(service.config, 'utf8')) as { service: object }
  writeFileSync(
    service.config,
    JSON.stringify({ ...settings, service: { ...settings.service, admin: `unix:${socket}`, requestTimeout: '300ms' } }),
  )
  expect((await reportOf(['sweep', '--config', service.config])).run.registry).toBe('live')
  service.actions.splice(0)
  return {
    config: service.config,
    copy: join(service.ledger, 'registry-test.copy'),
    ledger: service.ledger,
    actions: service.actions,
    proxy,
    vanish: async () => {
      await proxy[Symbol.asyncDispose]()
      service.vanish()
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await service[Symbol.asyncDispose]()
    },
  }
}

/** Makes the copy older, or another one, as a holdfast of that time would have written it. */
async function rewrite(copy: string, change: (content: Record<string, unknown>) => object): Promise<void> {
  const found = await readCheckedText(copy, title, 1e6)
  if (found.kind !== 'read') throw new Error(`no copy: ${JSON.stringify(found)}`)
  writeCheckedText(copy, title, JSON.stringify(change(JSON.parse(found.text) as Record<string, unknown>)))
}

const answers: readonly ListAnswer[] = [
  'empty',
  'refused',
  'not-json',
  'misfit',
  'twice',
  'repeats-a-cursor',
  'hangs-up',
  'never',
]

test('I5.1: whatever is wrong with the list, the tenants of the copy are checked, and it is said', async () => {
  await using scene = await sweptService()
  for (const answer of answers) {
    scene.proxy.answer = answer
    const ran = await holdfast(['sweep', '--json', '--config', scene.config])
    const { run, results } = reportIn(ran)
    expect([answer, ran.code, results.map(shortVerdict), run.registry]).toEqual([
      answer,
      0,
      ['sound', 'sound'],
      expect.stringMatching(cached),
    ])
    expect(run.notices).toEqual([
      expect.stringMatching(/^the service gave no valid list of tenants \(.+registry\.grace allows 8 h$/s),
    ])
    expect(ran.stderr).toContain('holdfast: registry: the service gave no valid list of tenants')
  }
  // A list that was not true is no news: no tenant counts as gone.
  scene.proxy.answer = 'as-it-is'
  const { run, results } = await reportOf(['sweep', '--config', scene.config])
  expect([run.registry, run.notices, results.map(shortVerdict)]).toEqual(['live', undefined, ['sound', 'sound']])
})

test('I5.1: the text of a report says it, also of single tenants, remedies and comparisons', async () => {
  await using scene = await sweptService()
  scene.proxy.answer = 'refused'
  for (const args of [
    ['sweep'],
    ['check', '--tenant', 'acme'],
    ['repair', '--tenant', 'acme'],
    ['compare', 'acme', 'bolt'],
  ]) {
    const { code, stdout, stderr } = await holdfast([...args, '--config', scene.config])
    expect([args[0], [0, 5].includes(code ?? -1), stderr]).toEqual([
      args[0],
      true,
      expect.stringContaining('no valid list'),
    ])
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /The service gave no valid list of tenants\. List: cached since \S+Z\./,
    )
  }
})

test('I5.2: past the grace the run refuses with the age of the copy, and touches no tenant', async () => {
  await using scene = await sweptService()
  await rewrite(scene.copy, (content) => ({ ...content, takenAt: Date.now() - 9 * hourMs }))
  scene.proxy.answer = 'refused'
  const ran = await holdfast(['sweep', '--json', '--config', scene.config])
  const { failure, run, results } = reportIn(ran)
  expect([ran.code, failure?.code, results, run.registry]).toEqual([1, 'REGISTRY_STALE', [], 'none'])
  expect(failure?.message).toMatch(/no list today.*the copy of \S+Z is 9 h old; registry\.grace allows 8 h$/)
  expect(failure?.hint).toMatch(/holdfast doctor/)
  expect(scene.actions).toEqual([])
})

test('I5.2: a grace of nothing uses no copy, and one that is long enough does', async () => {
  await using never = await sweptService({}, { grace: '0s' })
  never.proxy.answer = 'empty'
  const refused = reportIn(await holdfast(['sweep', '--json', '--config', never.config]))
  expect(refused.failure?.code).toBe('REGISTRY_STALE')
  expect(refused.failure?.message).toMatch(/lists no tenants, and 2 files of tenants are known/)
  await using long = await sweptService({}, { grace: '2d' })
  await rewrite(long.copy, (content) => ({ ...content, takenAt: Date.now() - 47 * hourMs }))
  long.proxy.answer = 'empty'
  expect((await reportOf(['sweep', '--config', long.config])).summary.sound).toBe(2)
})

test('I5.1: a copy that was altered is ignored, it is said, and no tenant is touched', async () => {
  await using scene = await sweptService()
  writeFileSync(scene.copy, readFileSync(scene.copy, 'utf8').replace('acme.db', 'evil.db'))
  scene.proxy.answer = 'refused'
  const ran = await holdfast(['sweep', '--json', '--config', scene.config])
  const { failure, results } = reportIn(ran)
  expect([ran.code, results]).toEqual([1, []])
  expect(ran.stderr).toMatch(/registry-test\.copy is ignored: it was altered, or only a part of it was written/)
  expect(failure?.message).toContain('no list today')
  expect(scene.actions).toEqual([])
})

test('the copy is private, and nothing half-written lies beside it', async () => {
  await using scene = await sweptService()
  expect(statSync(scene.copy).mode & 0o777).toBe(0o600)
  expect(readdirSync(scene.ledger).filter((name) => name.startsWith('.'))).toEqual([])
})

test('a service that does not answer at all ends the run after a few tenants', async () => {
  await using scene = await sweptService({
    tenants: (data) => Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`t${at}`, `${data}/t${at}.db`])),
  })
  await scene.vanish()
  const ran = await holdfast(['sweep', '--json', '--config', scene.config])
  const { run, results, summary } = reportIn(ran)
  expect([ran.code, run.registry]).toEqual([1, expect.stringMatching(cached)])
  expect(run.stopped).toMatch(/^ADMIN_UNREACHABLE: the service gives no list of tenants, and it did not answer/)
  expect(new Set(results.map(shortVerdict))).toEqual(new Set(['failed ADMIN_UNREACHABLE']))
  expect(results.length).toBeLessThan(8)
  expect(summary.notCovered).toBe(12 - results.length)
})

test('a tenant that the copy does not have may exist: that is no mistake of the person who named it', async () => {
  await using scene = await sweptService()
  scene.proxy.answer = 'refused'
  const ran = await holdfast(['check', '--tenant', 'newer', '--json', '--config', scene.config])
  const { failure } = reportIn(ran)
  expect([ran.code, failure?.code, failure?.message]).toEqual([
    1,
    'REGISTRY_STALE',
    'the service gives no valid list of tenants, and the copy of the last one does not have "newer"',
  ])
  scene.proxy.answer = 'as-it-is'
  expect((await holdfast(['check', '--tenant', 'newer', '--config', scene.config])).code).toBe(64)
})

test('I5.1: hooks are the same case, and a tenant that cannot be asked for has its own failure', async () => {
  using service = openScriptedService({ tenants: ['acme', 'bolt', 'crate', 'dune', 'echo'] })
  expect((await service.run('sweep', '--json')).code).toBe(0)
  expect(existsSync(join(service.ledger, 'registry-scripted.copy'))).toBe(true)
  const before = service.commandEvents().length
  service.let('tenants', 'exit 3')
  const ran = await service.run('sweep', '--json')
  const report = reportIn(ran)
  expect([ran.code, report.run.registry]).toEqual([1, expect.stringMatching(cached)])
  expect(new Set(report.results.map(shortVerdict))).toEqual(new Set(['failed ADMIN_UNREACHABLE']))
  expect(report.run.stopped).toMatch(/^ADMIN_UNREACHABLE: /)
  // Without the list nobody could see a tenant serve again, so none was paused.
  expect(service.commandEvents().length).toBe(before)
  // It fails once only, as a service that restarts.
  service.let('tenants', '[ -e once ] || { touch once; exit 3; }')
  const once = reportIn(await service.run('sweep', '--json'))
  expect([once.summary.sound, once.run.registry]).toEqual([5, expect.stringMatching(cached)])
})
