/** What each key of the section `fleet` means. */

import type { KeyMeaning } from './key-meaning.ts'

export const fleetKeyMeanings: Readonly<Record<string, KeyMeaning>> = {
  'fleet.database': {
    means:
      'The database of the fleet. `pglite:DIR` is a folder on this machine, for one machine or for a trial: one ' +
      'process opens it, and the others use its socket. `postgres://user@host/database` is a PostgreSQL server. ' +
      'For a unix socket write `postgres:///database?host=/run/postgresql`. The address must hold no password. The ' +
      'connection to another machine is encrypted, and the name of that machine is verified.',
    default: null,
    example: 'postgres://holdfast@db.example/holdfast',
  },
  'fleet.passwordFile': {
    means:
      'A file with the password for PostgreSQL in its first line. Only its owner may be able to read it. ' +
      'Without this key PGPASSWORD and PGPASSFILE are used.',
    default: null,
    example: '/etc/holdfast/fleet.password',
  },
  'fleet.caFile': {
    means:
      'A PEM file with the certificates of the authorities that signed the certificate of the PostgreSQL server. ' +
      'Without this key the authorities that Node.js brings are used, not those that were added to this machine.',
    default: null,
    example: '/etc/holdfast/fleet-ca.pem',
  },
  'fleet.host': {
    means: 'The name of this host in the fleet. No two hosts may have the same. Without this key: the machine name.',
    default: null,
    example: 'db7',
  },
  'fleet.domain': {
    means:
      'The failure domain of this host: a rack or a zone whose hosts fail together. fleet.maxPaused.domain limits ' +
      'how many of its tenants are paused at the same time.',
    default: null,
    example: 'zone-a',
  },
  'fleet.notify': {
    means:
      'Whether PostgreSQL announces new jobs to the agents. It needs one more connection for each agent. ' +
      'Behind PgBouncer in transaction mode announcements are lost: there it must be false.',
    default: 'true',
    example: 'false',
  },
  'fleet.window': {
    means:
      'How long after its request a slot may be used to begin a pause. The agent counts this time by its own clock. ' +
      'A longer window needs fewer requests, and keeps a slot longer when an agent dies.',
    default: '2s',
    example: '1s',
  },
  'fleet.expiry': {
    means:
      'How long a coordinator watches a taken slot before it frees it: its agent is then dead or cut off. It must be ' +
      'at least twice the longest time from the request for a slot to the end of its pause. A shorter one is refused.',
    default: '90s',
    example: '2m',
  },
  'fleet.maxPaused.fleet': {
    means: 'How many tenants of the whole fleet may be paused at the same time.',
    default: '3',
    example: '5',
  },
  'fleet.maxPaused.service': {
    means: 'How many tenants of one service may be paused at the same time, over all hosts.',
    default: '2',
    example: '1',
  },
  'fleet.maxPaused.domain': {
    means: 'How many tenants in one fleet.domain may be paused at the same time.',
    default: '2',
    example: '1',
  },
  'fleet.outbox.max': {
    means:
      'How large the outbox of an agent may become while the database is away. ' +
      'At this size the agent checks no more tenants and reports it.',
    default: '1GB',
    example: '200MB',
  },
  'fleet.schedule.at': {
    means: 'When a coordinator begins a sweep of the fleet, in the five fields of cron.',
    default: null,
    example: '"0 2 * * *"',
  },
  'fleet.schedule.zone': {
    means:
      'The time zone of fleet.schedule.at. If a change to or from summer time leaves out that hour or repeats it, ' +
      'the sweep begins once.',
    default: 'UTC',
    example: 'Europe/Berlin',
  },
  'fleet.replicas': {
    means:
      'Tenants that are meant to be on several hosts, as replicas. `holdfast fleet reconcile` then reports a tenant ' +
      'only if it is on more or fewer hosts than its entry says. The first entry that matches its id counts. ' +
      'A tenant without an entry is meant to be on one host. Each report lists all entries.',
    default: '[]',
    example: '[{ tenants: ["eu-*"], hosts: 2 }]',
  },
}
