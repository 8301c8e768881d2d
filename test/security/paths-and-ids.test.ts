/** Paths and ids of tenants come from the service, and holdfast trusts neither (hold/README.md, Security). */
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { fingerprintOf, makeDatabase, makeFolder } from '../support/cli/folder.ts'
import { shortVerdict, holdfast, reportIn, reportOf, single } from '../support/cli/program.ts'
import { openService } from '../support/cli/service.ts'

test(
  'a file outside the roots is refused before a tenant is paused: by name, by ' +
    '.., by a link to it, through a linked folder, as its WAL',
  async () => {
    using outside = makeFolder()
    makeDatabase(outside.in('x.db'), { wal: true })
    writeFileSync(outside.in('x-wal'), '')
    await using service = await openService({
      tenants: (data) => {
        symlinkSync(outside.in('x.db'), join(data, 'link.db'))
        symlinkSync(outside.path, join(data, 'folder'))
        symlinkSync('/', join(data, 'slash'))
        makeDatabase(join(data, 'wal.db'), { wal: true })
        const tenants = {
          named: outside.in('x.db'),
          system: '/etc/passwd',
          climbing: `${data}/../../${outside.path.split('/').at(-1)}/x.db`,
          linked: `${data}/link.db`,
          inFolder: `${data}/folder/x.db`,
          bySlash: `${data}/slash${outside.in('x.db')}`,
          sibling: `${data}-evil/x.db`,
          itself: data,
          good: `${data}/good.db`,
        }
        mkdirSync(`${data}-evil`)
        makeDatabase(`${data}-evil/x.db`)
        return tenants
      },
    })
    const before = fingerprintOf(outside.path)
    const seenAt = statSync(outside.in('x.db'), { bigint: true }).atimeNs
    const report = await reportOf(['sweep', '--config', service.config])
    const said = Object.fromEntries(report.results.map((result) => [result.tenant, shortVerdict(result)]))
    for (const id of ['named', 'system', 'climbing', 'linked', 'inFolder', 'bySlash', 'sibling'])
      expect(`${id} ${said[id]}`).toBe(`${id} failed PATH_OUTSIDE_ROOTS`)
    expect(said['itself']).toMatch(/^failed (PATH_OUTSIDE_ROOTS|NOT_A_FILE)$/)
    expect(said['good']).toBe('sound')
    expect(service.actions).toEqual(['close good', 'open good'])
    expect(fingerprintOf(outside.path)).toEqual(before)
    expect(statSync(outside.in('x.db'), { bigint: true }).atimeNs).toBe(seenAt)
  },
)

test('a WAL that is a link out of the roots is not followed', async () => {
  using outside = makeFolder()
  writeFileSync(outside.in('secret'), 'not for you')
  await using service = await openService({
    tenants: (data) => ({ acme: makeDatabase(join(data, 'acme.db')) }),
    onClose: () => symlinkSync(outside.in('secret'), join(service.data, 'acme.db-wal')),
    onOpen: () => rmSync(join(service.data, 'acme.db-wal'), { force: true }),
  })
  const before = fingerprintOf(outside.path)
  const result = single(await reportOf(['check', '--tenant', 'acme', '--config', service.config]))
  expect([result.verdict, result.failure?.code]).toEqual(['inconclusive', 'MANY_NAMES'])
  expect(fingerprintOf(outside.path)).toEqual(before)
  expect(service.gate.stateOf('acme')).toBe('active')
})

test('a folder that becomes a link between check and open is noticed by the opened descriptor', async () => {
  using outside = makeFolder()
  makeDatabase(outside.in('acme.db'))
  await using service = await openService({
    tenants: (data) => {
      mkdirSync(join(data, 'sub'))
      return { acme: makeDatabase(join(data, 'sub/acme.db')) }
    },
    onClose: () => {
      renameSync(join(service.data, 'sub'), join(service.data, 'moved'))
      symlinkSync(outside.path, join(service.data, 'sub'))
    },
  })
  const before = fingerprintOf(outside.path)
  const result = single(await reportOf(['check', '--tenant', 'acme', '--config', service.config]))
  expect(result.verdict).toBe('inconclusive')
  expect(['PATH_OUTSIDE_ROOTS', 'CONTRACT_BROKEN', 'WRITER_SEEN']).toContain(result.failure?.code)
  expect(fingerprintOf(outside.path)).toEqual(before)
})

const evilIds = [
  '../../etc/cron.d/x',
  '..',
  '.',
  '-rf',
  '--config',
  '$(touch pwned)',
  '`touch pwned`',
  'a; touch pwned',
  "it's",
  'new\nline',
  '\u001b[2J\u001b[31mred',
  'bidi\u202egnp.exe',
  'zero\u200bwidth',
  '%2e%2e%2f',
  'a/b',
  'a?b=c#d',
  'ünïcödé 文字 🙂',
  ' ',
  'x'.repeat(200),
  '{tenant}',
  '__proto__',
  'constructor',
]

/** In a URL such an id would lead to another call, so the service cannot be asked for it. */
const isStep = (id: string): boolean => id === '.' || id === '..'

test(
  'any text can be a tenant id: each tenant is held and checked, and ' +
    'no id becomes a path, an argument or an escape sequence',
  async () => {
    await using service = await openService({
      tenants: (data) => {
        const seed = makeDatabase(join(data, 'seed.db'))
        const tenants: Record<string, string> = Object.create(null) as Record<string, string>
        for (const [i, id] of evilIds.entries()) {
          tenants[id] = join(data, `${i}.db`)
          copyFileSync(seed, join(data, `${i}.db`))
        }
        return tenants
      },
    })
    const around = readdirSync(service.folder.path)
    const ran = await holdfast(['sweep', '--json', '--config', service.config], { cwd: service.folder.path })
    const report = reportIn(ran)
    expect(Object.fromEntries(report.results.map((result) => [result.tenant, shortVerdict(result)]))).toEqual(
      Object.fromEntries(evilIds.map((id) => [id, isStep(id) ? 'failed CONTRACT_BROKEN' : 'sound'])),
    )
    expect(readdirSync(service.snapshots)).toEqual([])
    const pointer = `${basename(service.config)}.ledger` // Says where the ledger is.
    expect(readdirSync(service.folder.path).toSorted()).toEqual([...around, pointer].toSorted())
    for (const command of [
      ['sweep', '--verbose', '--log-level', 'debug'],
      ['status', '--verbose'],
      ['history'],
      ['status', '--format', 'monit'],
      ['status', '--format', 'prometheus'],
    ]) {
      const { stdout, stderr } = await holdfast([...command, '--config', service.config])
      const letters = (stdout + stderr)
        .match(/\p{C}/gu)
        ?.filter((letter) => letter !== '\n')
        .map((letter) => letter.codePointAt(0)?.toString(16))
      expect([command, letters ?? []]).toEqual([command, []])
    }
    const one = single(await reportOf(['check', '--config', service.config, '--tenant=--config']))
    expect(shortVerdict(one)).toBe('sound')
    const pulled = service.folder.in('pulled')
    expect((await holdfast(['pull', '--config', service.config, '--', '-rf', pulled])).code).toBe(0)
    expect(JSON.parse(readFileSync(join(pulled, 'manifest.json'), 'utf8'))).toMatchObject({ tenant: '-rf' })
  },
)
