/** The section `fleet`: where the database is, and times that fit together. */
import { expect, it } from 'vitest'
import { guardianMs } from '../../../src/config/fleet/fleet-of.ts'
import type { FleetSettings } from '../../../src/config/fleet/fleet-settings.ts'
import { parseSettings } from '../../../src/config/parse.ts'
import type { ServiceSettings } from '../../../src/config/settings.ts'
import { slotPauseMs } from '../../../src/hold/pause/pause-limits.ts'
import { HookService } from '../../../src/service/hooks/hook-service.ts'
import type { Service } from '../../../src/service/port.ts'
import { file, least, problemsOf } from '../../support/config/problems.ts'

const fleetOf = (text: string): FleetSettings | null => parseSettings(`${least}fleet: { ${text} }\n`, file).fleet
const problems = (text: string): readonly string[] =>
  problemsOf(`${least}fleet: { ${text} }\n`).map((one) => one.replace(/^\d+:\d+: /, ''))

it('all keys are understood', () => {
  expect(
    fleetOf(
      'database: "postgres://holdfast@db.example:5433/fleet", passwordFile: /p, caFile: ca.pem, host: db7, ' +
        'domain: zone-a, notify: false, window: 1s, expiry: 2m, maxPaused: { fleet: 9, service: 8, domain: 7 }, ' +
        'outbox: { max: 2MB }, schedule: { at: "0 2 * * *", zone: Europe/Berlin }, ' +
        'replicas: [{ tenants: [acme, "eu-*"], hosts: 2 }]',
    ),
  ).toEqual({
    database: { kind: 'postgres', host: 'db.example', port: 5433, user: 'holdfast', database: 'fleet' },
    passwordFile: '/p',
    caFile: '/etc/holdfast/ca.pem',
    host: 'db7',
    domain: 'zone-a',
    notify: false,
    windowMs: 1000,
    expiryMs: 120_000,
    maxPaused: { fleet: 9, service: 8, domain: 7 },
    outbox: { maxBytes: 2_000_000 },
    schedule: { at: '0 2 * * *', zone: 'Europe/Berlin' },
    replicas: [{ tenants: ['acme', 'eu-*'], hosts: 2 }],
  } satisfies FleetSettings)
})

it.each([
  ['pglite:fleet', { kind: 'pglite', dir: '/etc/holdfast/fleet' }],
  ['pglite:/var/lib/holdfast/fleet', { kind: 'pglite', dir: '/var/lib/holdfast/fleet' }],
  ['postgres://db/fleet', { kind: 'postgres', host: 'db', port: 5432, user: null, database: 'fleet' }],
  ['postgresql://a%40b@[::1]/fleet', { kind: 'postgres', host: '::1', port: 5432, user: 'a@b', database: 'fleet' }],
  ['postgres:///fleet?host=/run/pg', { kind: 'postgres', host: '/run/pg', port: 5432, user: null, database: 'fleet' }],
])('%s', (address, expected) => {
  expect(fleetOf(`database: "${address}"`)?.database).toEqual(expected)
})

const wrong = 'fleet.database: expected pglite:/path/of/folder or postgres://user@host/database'
it.each([
  ['database: "mysql://db/x"', `${wrong}, found the text "mysql://db/x"`],
  ['database: "pglite:/"', 'fleet.database must not be the root of the file system'],
  ['database: "postgres://a:secret@db/x"', 'must not carry a password: name its file with fleet.passwordFile'],
  ['database: "postgres://db/x?sslmode=disable"', 'must have no parameters but host'],
  ['database: "postgres:///x?host=db"', 'needs a host'],
  ['database: "postgres://db/"', 'needs the name of a database'],
  ['host: db7', 'fleet.host needs fleet.database: without it this host belongs to no fleet'],
  ['database: "pglite:/x", caFile: /ca', 'belongs to postgres://; a folder does not use it'],
  ['database: "pglite:/x", host: "a b"', 'fleet.host: expected the name of this host'],
  ['database: "pglite:/x", schedule: { zone: Mars/Phobos, at: "0 2 * * *" }', 'expected a time zone such as'],
  ['database: "pglite:/x", replicas: [acme]', 'expected an entry such as { tenants: ["eu-*"], hosts: 2 }'],
  ['database: "pglite:/x", replicas: [{ tenants: [a], hosts: 1 }]', 'expected a whole number from 2 to 100'],
  ['database: "pglite:/x", replicas: [{ tenants: [], hosts: 2 }]', 'fleet.replicas'],
  ['database: "pglite:/x", replicas: [{ hosts: 2 }]', 'fleet.replicas'],
  ['replicas: [{ tenants: [a], hosts: 2 }]', 'fleet.replicas needs fleet.database'],
  ['database: "pglite:/x", schedule: { at: "at night" }', 'expected five fields of cron'],
  ['database: "pglite:/x", schedule: { zone: Europe/Berlin }', 'needs fleet.schedule.at'],
  ['database: "pglite:/x", expiry: 83s', 'fleet.expiry must be at least 84s'],
])('refuses %s', (text, expected) => {
  const found = problems(text).join('\n')
  expect(found).toContain(expected)
  expect(found).not.toContain('secret')
})

it.each([
  ['an admin API', least],
  ['an admin API, long', `${least}hold: { ttl: 1s, maxPause: 40s, drainTimeout: 7s }\n`],
  [
    'hooks',
    'service: { name: n, hooks: { tenants: [t], quiesce: [q, "{tenant}"], resume: [r, "{tenant}"] } }\n' +
      'tenants: { roots: [/srv] }\n',
  ],
])('the longest pause is that of the hold, and the window before it: %s', (_, text) => {
  const settings = parseSettings(text, file)
  const { service, hold } = settings
  expect(guardianMs(2000, settings)).toBe(2000 + slotPauseMs(serviceOf(service), hold))
})

/** What the time of a pause depends on. */
function serviceOf(service: ServiceSettings): Service {
  if (service.kind === 'hooks') return new HookService(service, () => {})
  if (service.kind === 'files') throw new Error('files are not paused')
  const { requestTimeoutMs } = service
  return { via: 'admin-api', callMsMax: requestTimeoutMs, quiesceMsMax: () => Infinity } as unknown as Service
}
