/** What the keys mean that say which service it is, and where its tenants are. */
import type { KeyMeaning } from './key-meaning.ts'

export const serviceKeyMeanings: Readonly<Record<string, KeyMeaning>> = {
  'service.name': {
    means:
      'The name of the service in the ledger and in reports. Services that share a ' +
      'ledger need different names. It has at most 64 characters.',
    default: null,
    example: 'notes',
  },
  'service.admin': {
    means:
      'The address of the admin API: unix:/path for a unix socket, https://host:port for any other address. ' +
      'A service has one of admin, hooks and files.',
    default: null,
    example: 'unix:/run/notes/admin.sock',
  },
  'service.tokenFile': {
    means:
      'The file with the bearer token, on one line. https needs it. ' +
      'Only the owner of the file may be able to read it. ' +
      'Never write the token itself into the configuration, arguments or the environment.',
    default: null,
    example: '/etc/holdfast/notes.token',
  },
  'service.caFile': {
    means:
      'A file with certificates (PEM). holdfast trusts the service only if ' +
      'one of them vouches for its certificate. Only https uses it.',
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
      'The command that lists the tenants with their files, as JSON: [{"id": "acme", "files": ["/srv/acme.db"]}]. ' +
      'It must print nothing else and change nothing. holdfast runs it often.',
    default: null,
    example: '[/usr/local/bin/notesctl, tenants]',
  },
  'service.hooks.quiesce': {
    means:
      "The command that pauses a tenant. It must not end before the service has closed the tenant's files. " +
      'holdfast puts the id in the place of each {tenant}.',
    default: null,
    example: '[/usr/local/bin/notesctl, pause, --, "{tenant}"]',
  },
  'service.hooks.resume': {
    means:
      'The command that resumes a tenant. It must do no harm if it runs twice. ' +
      'holdfast puts the id in the place of each {tenant}.',
    default: null,
    example: '[/usr/local/bin/notesctl, resume, --, "{tenant}"]',
  },
  'service.hooks.timeout': {
    means: 'How long each of the three commands may take. holdfast kills one that takes longer.',
    default: '30s',
    example: '1m',
  },
  'service.files': {
    means:
      'For programs that cannot be paused: each database file that one of these patterns finds is a tenant. ' +
      'Its id is its path below the folder that all patterns share. ' +
      '* matches any text within a name, ** any number of folders. `?`, [a-c] and {a,b} match within a name, too. ' +
      'Nothing is paused: hold.require says what proof is needed. ' +
      'A file that a program has open is checked only with `pinned`. ' +
      'Symbolic links to folders are not followed below the first pattern. ' +
      'src/service/files/README.md has the details.',
    default: null,
    example: '["/srv/app/**/*.sqlite"]',
  },
  'tenants.roots': {
    means:
      "The folders that hold the tenants' files. holdfast touches no file outside them, whatever the service names. " +
      'Symbolic links are resolved first. ' +
      'Only with service.files it may be left out: then the folders before the first * are the roots.',
    default: null,
    example: '[/srv/notes]',
  },
  'tenants.statusTenant': {
    means:
      'The tenant that your monitoring uses. A sweep checks it first, ' +
      'and pauses no other tenant before it serves again.',
    default: null,
    example: 'healthcheck',
  },
  'tenants.trustMounts': {
    means:
      'Mount points whose file locks you trust. holdfast refuses file systems whose locks are not known to work ' +
      '(NFS, SMB, FUSE and others), unless their mount point is in this list.',
    default: '[]',
    example: '[/mnt/notes]',
  },
}
