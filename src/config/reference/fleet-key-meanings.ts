/** What each key of the section `fleet` means. */

import type { KeyMeaning } from './key-meaning.ts'

export const fleetKeyMeanings: Readonly<Record<string, KeyMeaning>> = {
  'fleet.database': {
    means:
      'The database of the fleet. `pglite:DIR` is a folder on this machine, for one machine or for a trial: one ' +
      'process opens it, and the others use its socket. `postgres://user@host/database` is a PostgreSQL server. ' +
      'A unix socket is postgres:///database?host=/run/postgresql. ' +
      'The address must hold no password. The connection to another machine is encrypted and its name is verified.',
    default: null,
    example: 'postgres://holdfast@db.example/holdfast',
  },
  'fleet.passwordFile': {
    means:
      'A file with the password for PostgreSQL in its first line. Only its owner may be able to read it. ' +
      'Without this key PGPASSWORD and PGPASSFILE count.',
    default: null,
    example: '/etc/holdfast/fleet.password',
  },
  'fleet.caFile': {
    means:
      'The certificates of the authorities that sign for the PostgreSQL server, as PEM. ' +
      'Without this key those of the system count.',
    default: null,
    example: '/etc/holdfast/fleet-ca.pem',
  },
  'fleet.host': {
    means: 'The name of this host in the fleet. No two hosts may have the same. By default the name of the machine.',
    default: null,
    example: 'db7',
  },
  'fleet.domain': {
    means:
      'What fails together with this host, such as a rack or a zone. fleet.maxPaused.domain limits the pauses in it.',
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
      'How long after the request for a slot a pause may begin in it. The agent counts it on its own clock. ' +
      'A longer window needs fewer requests, and keeps a slot longer when an agent dies.',
    default: '2s',
    example: '1s',
  },
  'fleet.expiry': {
    means:
      'How long a coordinator watches a slot before it frees it. It must be at least twice the longest time that ' +
      'a pause may last from the request for its slot. A shorter one is refused.',
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
    means: 'When the coordinator begins a sweep of the fleet, in five fields as cron has them.',
    default: null,
    example: '"0 2 * * *"',
  },
  'fleet.schedule.zone': {
    means:
      'The time zone of fleet.schedule.at. A sweep in the hour that a change of the clock leaves out or repeats ' +
      'begins once.',
    default: 'UTC',
    example: 'Europe/Berlin',
  },
}
