import { expect, test } from 'vitest'
import { defaultLiveSettings } from '../../src/config/defaults.ts'
import { defaultCheckSettings, defaultHoldSettings } from '../../src/config/load.ts'
import { parseSettings } from '../../src/config/parse.ts'
import { alertKinds } from '../../src/config/sinks/alert-sinks.ts'
import { file, least, problemsOf } from '../support/config/problems.ts'

const whole = `
service:
  name: notes
  admin: unix:/run/notes/admin.sock      # or https://host:port
  tokenFile: /etc/holdfast/notes.token   # never in argv or environment
tenants: { roots: [/srv/notes], statusTenant: healthcheck, trustMounts: [] }
hold: { require: sealed, ttl: 30s, drainTimeout: 5s, maxPause: 10s, maxPaused: 1, warmAbove: 8MB }
snapshots: { dir: /var/lib/holdfast/snapshots }
check: { workers: auto, timeout: 30m, memory: 1GB, niceness: 10 }
backups: { dir: /var/lib/holdfast/backups, keep: { last: 3, daily: 7, weekly: 5 } }
sweep: { maxAge: 24h, budget: 3h }
heal: { limit: 3 }
ledger: { dir: /var/lib/holdfast }
registry: { grace: 8h }
alerts:
  - { command: [/usr/local/bin/page] }
  - { webhook: https://alarms.example/hook, on: [damage, paused, stale] }
  - { heartbeat: https://alarms.example/beat }
`

test('the configuration of the contract is understood, every key of it', () => {
  const hourMs = 3_600_000
  expect(parseSettings(whole, file)).toEqual({
    file,
    service: {
      kind: 'admin-api',
      name: 'notes',
      endpoint: { kind: 'unix', socket: '/run/notes/admin.sock' },
      tokenFile: '/etc/holdfast/notes.token',
      caFile: null,
      requestTimeoutMs: 5000,
    },
    tenants: { roots: ['/srv/notes'], statusTenant: 'healthcheck', trustMounts: [] },
    hold: {
      require: [{ level: 'sealed', tenants: null }],
      ttlMs: 30_000,
      drainTimeoutMs: 5000,
      maxPauseMs: 10_000,
      maxPaused: 1,
      warmAboveBytes: 8_000_000,
    },
    snapshots: { dir: '/var/lib/holdfast/snapshots' },
    check: {
      workers: 'auto',
      timeoutMs: hourMs / 2,
      memoryBytes: 1_000_000_000,
      niceness: 10,
      accept: [],
      invariants: [],
      rehearse: 'auto',
    },
    backups: {
      dir: '/var/lib/holdfast/backups',
      keep: { last: 3, daily: 7, weekly: 5 },
      maxAgeMs: 168 * hourMs,
      fetch: null,
    },
    live: defaultLiveSettings,
    quarantine: { dir: '/var/lib/holdfast/quarantine' },
    accounts: { dir: '/var/lib/holdfast/accounts' },
    sweep: { maxAgeMs: 24 * hourMs, budgetMs: 3 * hourMs },
    heal: { limit: 3 },
    ledger: { dir: '/var/lib/holdfast' },
    registry: { graceMs: 8 * hourMs },
    fleet: null,
    alerts: [
      { kind: 'command', command: ['/usr/local/bin/page'], on: alertKinds },
      { kind: 'webhook', url: 'https://alarms.example/hook', on: ['damaged', 'paused', 'stale'] },
      { kind: 'heartbeat', url: 'https://alarms.example/beat' },
    ],
  })
})

test('what the contract shows is what holds when it is left out', () => {
  const full = parseSettings(whole, file)
  const short = parseSettings(least, file)
  expect(short).toEqual({
    ...full,
    service: { ...full.service, tokenFile: null },
    tenants: { ...full.tenants, statusTenant: null },
    backups: null,
    // Without the section every sweep takes all tenants, for as long as it needs.
    sweep: { maxAgeMs: null, budgetMs: null },
    alerts: [],
  })
  expect(short.hold).toEqual(defaultHoldSettings)
  expect(short.check).toEqual(defaultCheckSettings)
})

test('a section whose lines are all commented out has its defaults', () => {
  expect(parseSettings(`${least}hold:\n  # ttl: 1m\nalerts:\n`, file)).toEqual(parseSettings(least, file))
})

test('kept originals and accounts go into the folder of the ledger, unless they have folders of their own', () => {
  const inLedger = parseSettings(`${least}ledger: { dir: /srv/state }\n`, file)
  expect([inLedger.quarantine.dir, inLedger.accounts.dir]).toEqual(['/srv/state/quarantine', '/srv/state/accounts'])
  const apart = parseSettings(`${least}quarantine: { dir: q }\naccounts: { dir: /a }\n`, '/opt/notes/holdfast.yaml')
  expect([apart.quarantine.dir, apart.accounts.dir]).toEqual(['/opt/notes/q', '/a'])
})

test('backups have their retention and their fetch only with a folder', () => {
  expect(parseSettings(`${least}backups: {}\n`, file).backups).toBeNull()
  expect(parseSettings(`${least}backups: { dir: b, keep: { daily: 0 } }\n`, '/etc/h.yaml').backups).toEqual({
    dir: '/etc/b',
    keep: { last: 3, daily: 0, weekly: 5 },
    maxAgeMs: 604_800_000,
    fetch: null,
  })
  expect(problemsOf(`${least}backups: { keep: { last: 3 }, fetch: [get, "{tenant}", "{out}"] }\n`)).toEqual([
    expect.stringMatching(/^3:12: backups\.keep needs backups\.dir/),
    expect.stringMatching(/^3:31: backups\.fetch needs backups\.dir/),
  ])
})

test('a fetch is told the tenant and where to write, and the time before which it must be', () => {
  const fetch = ['/usr/local/bin/fetch', '{tenant}', '--before={before}', '{out}']
  const text = (words: readonly string[]): string => `${least}backups: { dir: /b, fetch: ${JSON.stringify(words)} }\n`
  expect(parseSettings(text(fetch), file).backups?.fetch).toEqual(fetch)
  expect(problemsOf(text(['/usr/local/bin/fetch', '{tenant}']))).toEqual([expect.stringMatching(/the word "\{out\}"/)])
})

test.each([
  ['backups', '{ dir: /var/lib/holdfast/snapshots }', 'snapshots'],
  ['backups', '{ dir: /var/lib/holdfast }', 'ledger'],
  ['quarantine', '{ dir: /var/lib/holdfast/snapshots/. }', 'snapshots'],
  ['accounts', '{ dir: /var/lib/holdfast/quarantine }', 'quarantine'],
])('%s: %s is refused: it is the folder of %s', (section, value, owner) => {
  expect(problemsOf(`${least}${section}: ${value}\n`)).toEqual([
    expect.stringMatching(new RegExp(`^3:\\d+: ${section}\\.dir is the folder of ${owner}\\.dir too`)),
  ])
})

test('snapshots in the usual folder of the kept originals are refused at the key that is given', () => {
  expect(problemsOf(`${least}snapshots: { dir: /var/lib/holdfast/quarantine }\n`)).toEqual([
    expect.stringMatching(/^3:14: snapshots\.dir is the folder of quarantine\.dir too/),
  ])
})

test('paths count from the folder of the configuration file, programs without a slash from PATH', () => {
  const settings = parseSettings(
    `service: { name: n, hooks: { tenants: [bin/list], quiesce: [ctl, pause, "{tenant}"],
  resume: [../ctl, "--id={tenant}"] } }
tenants: { roots: [data, ../more] }
ledger: { dir: state }
`,
    '/opt/notes/etc/holdfast.yaml',
  )
  expect(settings.service).toEqual({
    kind: 'hooks',
    name: 'n',
    tenants: ['/opt/notes/etc/bin/list'],
    quiesce: ['ctl', 'pause', '{tenant}'],
    resume: ['/opt/notes/ctl', '--id={tenant}'],
    timeoutMs: 30_000,
  })
  expect(settings.tenants.roots).toEqual(['/opt/notes/etc/data', '/opt/notes/more'])
  expect(settings.ledger.dir).toBe('/opt/notes/etc/state')
})
