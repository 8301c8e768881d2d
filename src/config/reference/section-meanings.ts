/** What each section of the configuration is for (key-meanings.ts has their keys). */

export const sectionMeanings: Readonly<Record<string, string>> = {
  service:
    'The service that owns the tenants, and how holdfast reaches it: by an admin API (`admin`) or by commands ' +
    '(`hooks`). Programs that cannot be paused have `files` instead.',
  'service.hooks':
    'Commands for a service without an admin API. holdfast runs them without a shell. ' +
    'src/service/hooks/README.md says what they are given and what they must print.',
  tenants: "Where the tenants' files are.",
  hold: 'How long a tenant may be paused, and how strong the proof must be.',
  live:
    'The limits of a pinned snapshot (`check --live`, or hold.require: pinned), which is taken beside a program that ' +
    'writes.',
  snapshots: 'Where holdfast puts the private copies that it checks.',
  check:
    'How much time and memory a check of a snapshot may use, which of its limits you accept, and what it rehearses.',
  backups:
    'Verified backups: snapshots that a check found sound. `restore` uses them. ' +
    'Without this section holdfast keeps no backups. ' +
    'src/backup/README.md says how to restore one without holdfast.',
  'backups.keep':
    'How many backups of each tenant are kept. `backups prune` and each new backup remove the others. ' +
    'The newest verified backup of each file is never removed.',
  quarantine: 'Where holdfast keeps the original of each file that it changed.',
  accounts: 'Where holdfast writes the accounts: what a remedy kept, added, dropped and could not read.',
  sweep: 'Which tenants a sweep takes, and how long it may take. Without this section it takes all of them.',
  heal: 'How much `sweep --heal` may change by itself. Without --heal a sweep changes nothing.',
  ledger: 'Where holdfast keeps its history.',
  fleet:
    'The fleet that this host belongs to: several hosts that are checked as one. Without fleet.database the host ' +
    'belongs to no fleet. The commands of one host never need the database.',
  'fleet.maxPaused':
    'How many tenants may be paused at the same time, over all hosts. A coordinator sets these limits when it ' +
    'starts; the file of an agent changes nothing. So they must be the same for all coordinators.',
  'fleet.outbox': 'The results that an agent has not yet delivered to the database.',
  'fleet.schedule': 'When a coordinator begins a sweep by itself. Without this section it begins none.',
  registry: "How long holdfast goes on without the service's list of tenants, or without a valid configuration.",
}
