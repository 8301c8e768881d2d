/**
 * What each key of the configuration means. Keys, values and limits are those of the schema (schema.ts); a test
 * compares both, parses each example, and proves each default.
 */

export interface KeyMeaning {
  readonly means: string
  /** As it would stand in the file; null where nothing holds without the key. */
  readonly default: string | null
  /** A value, as it would stand in the file. */
  readonly example: string
}

/** Sections that are known to hold keys. */
export const sectionMeanings: Readonly<Record<string, string>> = {
  service:
    'The service that owns the tenants, and how holdfast reaches it: by ' +
    'an admin API (`admin`) or by commands (`hooks`).',
  'service.hooks':
    'Commands for a service without an admin API. holdfast runs them without a shell. ' +
    'What they are given and what they must print stands in src/service/hooks/README.md.',
  tenants: "Where the tenants' files lie.",
  hold: 'How long tenants may stand still, and how strong the proof must be.',
  snapshots: 'Where holdfast puts the private copies that it checks.',
  check: 'What a check of a snapshot may take, and what it may leave out.',
  ledger: 'Where holdfast keeps its history.',
}

export const keyMeanings: Readonly<Record<string, KeyMeaning>> = {
  'service.name': {
    means:
      'The name of the service in the ledger and in reports. Services that share a ' +
      'ledger need different names. It has at most 64 characters.',
    default: null,
    example: 'notes',
  },
  'service.admin': {
    means:
      'Where the service answers the admin API. A unix socket is given as ' +
      'unix:/path, any other address as https://host:port. ' +
      'Give this key or service.hooks, and not both.',
    default: null,
    example: 'unix:/run/notes/admin.sock',
  },
  'service.tokenFile': {
    means:
      'The file with the bearer token, on one line. https needs it. Only its owner may be able to read it. ' +
      'The token itself never stands in the configuration, in arguments or in the environment.',
    default: null,
    example: '/etc/holdfast/notes.token',
  },
  'service.caFile': {
    means: "A file with certificates (PEM). The service's certificate must come from one of them. Only https uses it.",
    default: null,
    example: '/etc/holdfast/ca.pem',
  },
  'service.requestTimeout': {
    means:
      'How long one call to the admin API may take. For a quiesce, hold.drainTimeout is added. ' +
      'With service.hooks this key is refused.',
    default: '5s',
    example: '10s',
  },
  'service.hooks.tenants': {
    means:
      'The command that prints the list of tenants and their files as JSON. It changes nothing, and runs often. ' +
      'It prints a list like [{"id": "acme", "files": ["/srv/acme.db"]}], and nothing else.',
    default: null,
    example: '[/usr/local/bin/notesctl, tenants]',
  },
  'service.hooks.quiesce': {
    means:
      'The command that pauses a tenant: it ends when no handle of the ' +
      "tenant's files is open. Each {tenant} becomes the id.",
    default: null,
    example: '[/usr/local/bin/notesctl, pause, --, "{tenant}"]',
  },
  'service.hooks.resume': {
    means:
      'The command that takes a tenant up again. Each {tenant} becomes the id. It must do no harm if it runs twice.',
    default: null,
    example: '[/usr/local/bin/notesctl, resume, --, "{tenant}"]',
  },
  'service.hooks.timeout': {
    means: 'How long each of the three commands may take. holdfast kills one that takes longer.',
    default: '30s',
    example: '1m',
  },
  'tenants.roots': {
    means:
      "The folders that hold the tenants' files. holdfast touches no file outside them, whatever the service names. " +
      'Symbolic links are resolved first.',
    default: null,
    example: '[/srv/notes]',
  },
  'tenants.statusTenant': {
    means:
      'The tenant that your monitoring asks for. A sweep takes it first, ' +
      'and sees it serve again before it pauses any other.',
    default: null,
    example: 'healthcheck',
  },
  'tenants.trustMounts': {
    means:
      'Mount points whose locks you vouch for. holdfast refuses file systems that are not known to keep locks ' +
      '(NFS, SMB, FUSE and others), unless their mount point stands here.',
    default: '[]',
    example: '[/mnt/notes]',
  },
  'hold.require': {
    means:
      'The weakest seal that holdfast accepts. `holdfast explain sealed`, ' +
      '`exclusive` and `writer-locked` say what each proves. ' +
      'A bare `check FILE` requires `sealed`, unless `--config` names this configuration.',
    default: 'sealed',
    example: 'exclusive',
  },
  'hold.ttl': {
    means:
      'The length of the lease that holdfast asks for. If holdfast dies together with ' +
      'its guardian, the service resumes the tenant after this time. ' +
      'A service reached by hooks has no lease, and resumes nothing by itself.',
    default: '30s',
    example: '20s',
  },
  'hold.drainTimeout': {
    means:
      'How long the service may wait for running requests of the tenant to end. ' +
      'Then it refuses the pause. Hooks are not told of it.',
    default: '5s',
    example: '2s',
  },
  'hold.maxPause': {
    means:
      'The longest pause. holdfast predicts each pause and refuses one that would be longer (TOO_LARGE_FOR_PAUSE). ' +
      'It gives up a pause that becomes longer all the same.',
    default: '10s',
    example: '500ms',
  },
  'hold.maxPaused': {
    means: 'How many tenants may stand still at the same time. `sweep --max-paused` sets it for one run.',
    default: '1',
    example: '2',
  },
  'hold.warmAbove': {
    means:
      'A tenant with more bytes than this is prepared before its pause. ' +
      'holdfast copies a WAL database while the service writes, ' +
      'so that only the rest is copied in the pause. It reads other databases into memory.',
    default: '8MB',
    example: '64MiB',
  },
  'snapshots.dir': {
    means:
      'The folder for snapshots. holdfast makes it with mode 0700 and refuses one that other users can enter. ' +
      'Snapshots fill at most half of the space that is free there.',
    default: '/var/lib/holdfast/snapshots',
    example: '/srv/holdfast/snapshots',
  },
  'check.workers': {
    means:
      'How many snapshots are checked in parallel. `auto` is the number of processors. ' +
      '`sweep --concurrency` and `check --workers` set it for one run.',
    default: 'auto',
    example: '2',
  },
  'check.timeout': {
    means:
      'How long the check of one file may take. One that takes longer is ' +
      'inconclusive (check-timeout). `check --timeout` sets it for one run.',
    default: '30m',
    example: '2h',
  },
  'check.memory': {
    means:
      'How much memory one reading process may take. holdfast kills one that takes ' +
      'more, and the result is inconclusive (checker-crashed).',
    default: '1GB',
    example: '512MiB',
  },
  'check.niceness': {
    means: 'How far reading processes stand back behind others (nice): 0 not at all, 19 the most.',
    default: '10',
    example: '19',
  },
  'check.accept': {
    means:
      'Limits of a check that you accept. unknown-collation: an index ' +
      "whose order only the service's own program knows " +
      'no longer keeps the verdict from being sound. The report still lists it.',
    default: '[]',
    example: '[unknown-collation]',
  },
  'ledger.dir': {
    means:
      'The folder of the ledger. holdfast makes it with mode 0700 and refuses one that other users can write. ' +
      'Several services may share it if their service.name differs.',
    default: '/var/lib/holdfast',
    example: '/var/lib/holdfast',
  },
}
