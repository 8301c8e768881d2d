/**
 * What each key of the configuration means. `config/schema.ts` has the keys, their values and limits. A test compares
 * both, parses each example, and tries each default.
 */
import { checkKeyMeanings } from './check-key-meanings.ts'
import { fleetKeyMeanings } from './fleet-key-meanings.ts'
import type { KeyMeaning } from './key-meaning.ts'
import { liveKeyMeanings } from './live-key-meanings.ts'
import { serviceKeyMeanings } from './service-key-meanings.ts'

export const keyMeanings: Readonly<Record<string, KeyMeaning>> = {
  ...serviceKeyMeanings,
  'hold.require': {
    means:
      'The weakest seal that holdfast accepts. `holdfast explain sealed`, ' +
      '`exclusive`, `writer-locked` and `pinned` say what each proves. ' +
      'It is one level, or a list of levels for tenants: the first that fits a tenant counts, `sealed` if none does. ' +
      'A tenant at level `pinned` is not paused: holdfast copies its files while its program writes. ' +
      '`repair`, `restore` and `sweep --heal` need `sealed` for every tenant. ' +
      'A bare `check FILE` requires `sealed`, unless `--config` names this configuration, or `--live` is given.',
    default: 'sealed',
    example: '[{ level: pinned, tenants: ["wiki-*"] }, sealed]',
  },
  'hold.ttl': {
    means:
      'The length of the lease that holdfast asks for. If holdfast and its guardian die, ' +
      'the service resumes the tenant after this time. ' +
      'With hooks there is no lease: the service does not resume a tenant by itself.',
    default: '30s',
    example: '20s',
  },
  'hold.drainTimeout': {
    means:
      'How long the service may wait for requests of the tenant that still run. ' +
      'After this time it refuses the pause. ' +
      'Hooks do not get this value.',
    default: '5s',
    example: '2s',
  },
  'hold.maxPause': {
    means:
      'The longest pause. holdfast predicts each pause and refuses one that would be longer (TOO_LARGE_FOR_PAUSE). ' +
      'If a pause becomes longer than that, holdfast gives it up.',
    default: '10s',
    example: '500ms',
  },
  'hold.maxPaused': {
    means: 'How many tenants may be paused at the same time. `sweep --max-paused` sets it for one run.',
    default: '1',
    example: '2',
  },
  'hold.warmAbove': {
    means:
      'A tenant with more bytes than this is prepared before its pause, while the service still uses it. ' +
      'holdfast copies most of a WAL database in advance, and reads any other database into memory.',
    default: '8MB',
    example: '64MiB',
  },
  ...liveKeyMeanings,
  'snapshots.dir': {
    means:
      'The folder for snapshots. holdfast makes it with mode 0700 and refuses one that other users can enter. ' +
      'Snapshots fill at most half of the space that is free there.',
    default: '/var/lib/holdfast/snapshots',
    example: '/srv/holdfast/snapshots',
  },
  ...checkKeyMeanings,
  'backups.dir': {
    means:
      'The folder for verified backups. holdfast makes it with mode 0700 and refuses one that other users can enter. ' +
      'With this key each sweep keeps the snapshots that it found sound. A disk of its own is best.',
    default: null,
    example: '/srv/backup/holdfast',
  },
  'backups.keep.last': {
    means: 'How many of the newest backups are kept, whatever their age.',
    default: '3',
    example: '5',
  },
  'backups.keep.daily': {
    means: 'For how many days with a backup the newest one of the day is kept. 0: none for that reason.',
    default: '7',
    example: '14',
  },
  'backups.keep.weekly': {
    means: 'For how many weeks with a backup the newest one of the week is kept. 0: none for that reason.',
    default: '5',
    example: '0',
  },
  'backups.maxAge': {
    means:
      'How old the newest verified backup of a file may become. `status` and an alarm name one that is older. ' +
      'A backup whose content a sweep has seen again is as young as that sweep.',
    default: '7d',
    example: '26h',
  },
  'backups.fetch': {
    means:
      'A command that brings a backup that another program made, such as restic. holdfast runs it without a shell. ' +
      '{tenant} is the id, {out} the file that the command must write. ' +
      '{before} is a time (RFC 3339): the backup must be older. ' +
      'It may take 6 hours, and half of the space that is free in snapshots.dir. ' +
      'A fetched backup counts only after holdfast found it sound. It needs backups.dir.',
    default: null,
    example: '[/usr/local/bin/fetch-backup, "{tenant}", "{out}", "{before}"]',
  },
  'quarantine.dir': {
    means:
      'The folder for the originals of changed files, companions included. Undo needs them. ' +
      'holdfast never deletes them. By default it is the folder `quarantine` in ledger.dir.',
    default: '/var/lib/holdfast/quarantine',
    example: '/srv/holdfast/quarantine',
  },
  'accounts.dir': {
    means:
      'The folder for the accounts of remedies, with mode 0700: an account may hold values of dropped index entries. ' +
      'By default it is the folder `accounts` in ledger.dir.',
    default: '/var/lib/holdfast/accounts',
    example: '/srv/holdfast/accounts',
  },
  'sweep.maxAge': {
    means:
      'How long a full check that found a tenant sound counts. ' +
      'A sweep leaves out a tenant with a younger one if its files have not changed since. ' +
      'Without this key every sweep takes all tenants. `sweep --max-age` sets it for one run.',
    default: null,
    example: '24h',
  },
  'sweep.budget': {
    means:
      'How long a sweep may take. Then it begins with no other tenant, and ends the checks that are under way. ' +
      'The next sweep begins with the tenants that are left. `sweep --budget` sets it for one run.',
    default: null,
    example: '3h',
  },
  'heal.limit': {
    means:
      'How many tenants one `sweep --heal` may change. A tenant is changed at most once a day. ' +
      'Only indexes and full-text indexes are rebuilt. Damage beyond the limit is reported and left as it is.',
    default: '3',
    example: '1',
  },
  'ledger.dir': {
    means:
      'The folder of the ledger. holdfast makes it with mode 0700 and refuses one that other users can write. ' +
      'Several services may share it if their service.name differs.',
    default: '/var/lib/holdfast',
    example: '/var/lib/holdfast',
  },
  alerts: {
    means:
      'Where alarms go. `command` runs a program without a shell. The program gets the alarm as JSON on stdin, ' +
      'and its main fields in HOLDFAST_ALARM_* of the environment. ' +
      '`webhook` is an address that gets the same JSON by POST. ' +
      '`webhookFile` is a file with such an address, which only its owner may be able to read. ' +
      'holdfast asks for the address `heartbeat` after each sweep that covered every tenant; ' +
      'in a fleet the coordinator does, after each sweep of all hosts. ' +
      '`on` names the alarms of a sink: harm, paused, damage, stale, inconclusive, recovered; by default all. ' +
      'Addresses may hold secrets, so holdfast prints only their host. ' +
      '`holdfast alerts test` tries every sink. src/alarm/README.md has the details.',
    default: '[]',
    example: '[{ command: [/usr/local/bin/page] }, { webhook: https://alerts.example/x, on: [damage, stale] }]',
  },
  ...fleetKeyMeanings,
  'registry.grace': {
    means:
      'After each good answer holdfast keeps a copy of the list of tenants in ledger.dir. ' +
      'If the service later gives no valid list, a run goes on with the copy for this time, and its report says so. ' +
      'After this time the run ends with REGISTRY_STALE. 0s: the copy is never used. ' +
      'In the same way `sweep`, `triage`, `status` and `resume` go on with the last valid configuration. ' +
      'The time then counts from when holdfast first saw the file invalid. ' +
      'After it they end with 78, and the sinks of that configuration get one more alarm. ' +
      'With a ledger.dir of its own, the file FILE.ledger beside the configuration says where the copy is: ' +
      'a run makes it. If holdfast may not write there, as in the sandbox of `install systemd`, run ' +
      '`holdfast sweep` once by hand. Without it the copy is found only if the invalid file still names ledger.dir.',
    default: '8h',
    example: '24h',
  },
}
