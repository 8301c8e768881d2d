/**
 * The keys of holdfast.yaml with their types and limits. All sections but `service` may be left out, and `tenants` only
 * beside `service.files`.
 */

import * as z from 'zod/mini'
import { acceptedLimits } from './accepted-limits.ts'
import * as defaults from './defaults.ts'
import { cronTimes, domainName, fleetAddress, hostName, timeZone } from './fleet/fleet-address.ts'
import { meantReplicas } from './fleet/meant-replicas.ts'
import { invariantSeverities } from './invariants.ts'
import { levelRules } from './levels/level-rules.ts'
import { endpointKind } from './service/endpoint.ts'
import { filePattern } from './service/file-pattern.ts'
import { alertList } from './sinks/alert-sinks.ts'
import {
  command,
  duration,
  either,
  list,
  nonEmpty,
  oneOf,
  optional,
  path,
  required,
  size,
  plainText,
  valueNotes,
  whole,
  yesOrNo,
} from './value.ts'

export type Sections = ReturnType<typeof sections>

/** @param folder of the configuration file: relative paths count from it */
export function sections(folder: string) {
  const { defaultHoldSettings: hold, defaultLiveSettings: live, defaultCheckSettings: check } = defaults
  return z.strictObject(
    {
      service: section({
        name: required(
          plainText(
            'the name of the service: letters, digits, dots and dashes, such as notes',
            /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
          ),
        ),
        admin: optional(endpointKind(folder), null),
        tokenFile: optional(path('the path of a file, such as /etc/holdfast/notes.token', folder), null),
        caFile: optional(path('the path of a file, such as /etc/holdfast/ca.pem', folder), null),
        requestTimeout: optional(duration('5s', { least: '100ms', most: '10m' }), null),
        hooks: z.optional(
          section({
            tenants: required(command('[notesctl, tenants]', folder)),
            quiesce: required(command('[notesctl, pause, "{tenant}"]', folder, '{tenant}')),
            resume: required(command('[notesctl, resume, "{tenant}"]', folder, '{tenant}')),
            timeout: optional(duration('30s', { least: '100ms', most: '1h' }), defaults.defaultHookTimeoutMs),
          }),
        ),
        files: optional(nonEmpty(list('a list of patterns such as ["/srv/app/*.sqlite"]', filePattern(folder))), null),
      }),
      tenants: sectionOrDefaults({
        roots: optional(
          nonEmpty(list('a list of folders such as [/srv/notes]', path('the path of a folder', folder))),
          null,
        ),
        statusTenant: optional(plainText('the id of a tenant'), null),
        trustMounts: optional(
          list('a list of mount points such as [/mnt/notes]', path('the path of a mount point', folder)),
          [],
        ),
      }),
      hold: sectionOrDefaults({
        require: levelRules(hold.require),
        ttl: optional(duration('30s', { least: '1s', most: '1h' }), hold.ttlMs),
        drainTimeout: optional(duration('5s', { least: '0s', most: '1h' }), hold.drainTimeoutMs),
        maxPause: optional(duration('10s', { least: '10ms', most: '1h' }), hold.maxPauseMs),
        maxPaused: optional(whole(1, 1000), hold.maxPaused),
        warmAbove: optional(size('8MB', { least: '0B', most: '1000TB' }), hold.warmAboveBytes),
      }),
      live: sectionOrDefaults({
        pinWait: optional(duration('3s', { least: '10ms', most: '10m' }), live.pinWaitMs),
        maxPin: optional(duration('5s', { least: '100ms', most: '10m' }), live.maxPinMs),
        maxWalGrowth: optional(size('64MB', { least: '1MB', most: '1000GB' }), live.maxWalGrowthBytes),
        maxWriterWait: optional(duration('500ms', { least: '130ms', most: '1m' }), live.maxWriterWaitMs),
      }),
      snapshots: sectionOrDefaults({
        dir: optional(path('the path of a folder', folder), defaults.defaultSnapshotDir),
      }),
      check: sectionOrDefaults({
        workers: optional(either(oneOf('auto'), whole(1, 256)), check.workers),
        timeout: optional(duration('30m', { least: '1s', most: '7d' }), check.timeoutMs),
        memory: optional(size('1GB', { least: '64MB', most: '1000TB' }), check.memoryBytes),
        niceness: optional(whole(0, 19), check.niceness),
        accept: acceptedLimits(),
        invariants: invariantRules(folder),
        rehearse: optional(either(yesOrNo, oneOf('auto')), check.rehearse),
      }),
      backups: sectionOrDefaults({
        dir: optional(path('the path of a folder', folder), null),
        keep: sectionOrDefaults({
          last: optional(whole(1, 10_000), defaults.defaultKept.last),
          daily: optional(whole(0, 10_000), defaults.defaultKept.daily),
          weekly: optional(whole(0, 10_000), defaults.defaultKept.weekly),
        }),
        maxAge: optional(duration('7d', { least: '1h', most: '366d' }), defaults.defaultBackupMaxAgeMs),
        fetch: optional(command('[fetch-backup, "{tenant}", "{out}"]', folder, '{tenant}', '{out}'), null),
      }),
      quarantine: sectionOrDefaults({ dir: optional(path('the path of a folder', folder), null) }),
      accounts: sectionOrDefaults({ dir: optional(path('the path of a folder', folder), null) }),
      sweep: sectionOrDefaults({
        maxAge: optional(duration('24h', { least: '1s', most: '400d' }), null),
        budget: optional(duration('3h', { least: '1s', most: '30d' }), null),
      }),
      heal: sectionOrDefaults({ limit: optional(whole(1, 1000), defaults.defaultHealLimit) }),
      ledger: sectionOrDefaults({ dir: optional(path('the path of a folder', folder), defaults.defaultLedgerDir) }),
      alerts: alertList(folder),
      fleet: sectionOrDefaults({
        database: optional(fleetAddress(folder), null),
        passwordFile: optional(path('the path of a file, such as /etc/holdfast/fleet.password', folder), null),
        caFile: optional(path('the path of a file, such as /etc/holdfast/fleet-ca.pem', folder), null),
        host: optional(hostName, null),
        domain: optional(domainName, null),
        notify: optional(yesOrNo, true),
        window: optional(duration('2s', { least: '100ms', most: '1m' }), defaults.defaultFleetWindowMs),
        expiry: optional(duration('90s', { least: '5s', most: '1h' }), defaults.defaultFleetExpiryMs),
        maxPaused: sectionOrDefaults({
          fleet: optional(whole(1, 10_000), defaults.defaultFleetMaxPaused.fleet),
          service: optional(whole(1, 10_000), defaults.defaultFleetMaxPaused.service),
          domain: optional(whole(1, 10_000), defaults.defaultFleetMaxPaused.domain),
        }),
        outbox: sectionOrDefaults({
          max: optional(size('1GB', { least: '1MB', most: '1000GB' }), defaults.defaultOutboxBytes),
        }),
        schedule: sectionOrDefaults({ at: optional(cronTimes, null), zone: optional(timeZone, 'UTC') }),
        replicas: meantReplicas(),
      }),
      registry: sectionOrDefaults({
        grace: optional(duration('8h', { least: '0s', most: '30d' }), defaults.defaultGraceMs),
      }),
    },
    { error: notASection },
  )
}

/** Mistakes in a rule are reported with their line, as in every section. */
function invariantRules(folder: string) {
  const rule = section({
    name: required(plainText('a name of letters, digits, dots, blanks and dashes', /^[\w][\w .-]{0,63}$/)),
    sql: optional(plainText('one SELECT, whose rows violate the rule'), null),
    command: optional(command('[/usr/local/bin/check-ledger, "{snapshot}"]', folder, '{snapshot}'), null),
    tenants: optional(nonEmpty(list('a list of patterns of ids such as ["a*"]', plainText('a pattern of ids'))), null),
    severity: optional(oneOf(...invariantSeverities), 'notice' as const),
    timeout: optional(duration('1m', { least: '100ms', most: '24h' }), defaults.defaultInvariantTimeoutMs),
  })
  const rules = z.pipe(
    z.transform((given: unknown) => given ?? []),
    z.array(rule, { error: () => 'expected a list of rules' }),
  )
  valueNotes.add(rules, {
    allowed:
      'a list of rules, each with `name`, `sql` or `command`, and optionally `tenants` (patterns of ids), ' +
      '`severity` (notice, inconclusive or damage; default notice) and `timeout` (default 1m)',
    unit: null,
    required: false,
  })
  return rules
}

function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: notASection })
}

/** The schemas of the keys of a section; null if `schema` is no section. */
export function keysOfSection(schema: unknown): Readonly<Record<string, unknown>> | null {
  const section = unwrap(schema)
  return section instanceof z.ZodMiniObject ? section.shape : null
}

/** The schema of the value in the file, without the wrappers that add a default. */
export function unwrap(schema: unknown): unknown {
  let at = schema
  for (;;) {
    if (at instanceof z.ZodMiniPipe) at = at.def.out
    else if (at instanceof z.ZodMiniOptional) at = at.def.innerType
    else return at
  }
}

/** `hold:` without any key has the defaults: it is what remains when all of its lines are commented out. */
function sectionOrDefaults<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.pipe(
    z.transform((given: unknown) => given ?? {}),
    section(shape),
  )
}

const notASection = (issue: { readonly code?: string; readonly input?: unknown }): string | undefined => {
  if (issue.code !== 'invalid_type') return undefined
  return issue.input === undefined ? 'is missing' : 'expected a section of keys'
}
