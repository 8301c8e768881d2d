/** The words that holdfast uses for its own things. Each has one meaning, told in two or three sentences. */

export const vocabulary: Readonly<Record<string, string>> = {
  tenant: "One customer's data: an id and its live set. The service names the id and the database files.",
  'live-set':
    'A database file with the files that SQLite keeps beside it: `-wal`, `-shm` and `-journal`. ' +
    'holdfast always handles them as one. One of them without the others may be another state of the data.',
  manifest:
    'A file beside a kept snapshot (`pull`, `check --keep-snapshot`). It says which ' +
    'files were copied, when, how they were proven, and their digests.',
  page:
    'The unit in which SQLite reads and writes a database file, often 4096 bytes. Pages are ' +
    'numbered from 1. Each belongs to a table, an index or the free list.',
  row: 'One record of a table. Reports name it by its rowid, or by its primary key in a table WITHOUT ROWID.',
  rowid:
    'The number by which SQLite finds a row of a table. An INTEGER PRIMARY KEY is ' +
    'the rowid. Without one, VACUUM may give a row another number.',
  entry:
    'What an index holds for a row: the values of the indexed columns and the key of ' +
    'the row. Each row that the index covers must have one entry.',
  clock:
    "The clock that a pause was timed by: the service's own where it has an admin API, else ours. " +
    'The column PAUSE is always by our clock, from the request to pause until the tenant was seen serving.',
  'salvage-command':
    'The statement that stands after `list` in a report. Type it into `sqlite3` on ' +
    'a copy: it lists the rows or values that a finding is about.',
  contract:
    'What a service promises holdfast: `admin-api.yaml` for an admin API, or the three commands of ' +
    'service.hooks. `holdfast doctor --tenant ID` tests it; the end of `holdfast doctor --help` lists its ' +
    'promises.',
  stale:
    'A word of `status`, STALE: no full sweep or no full check of a tenant ' +
    'within --max-age. It says nothing about the data: check again.',
  'not-covered':
    'A word of a report, NOT COVERED: tenants that a run had selected and did not ' +
    'come to before it ended. Nothing is known of them from this run.',
  'paused?':
    'A word of `status`, PAUSED?: a hold was begun and never seen to end. The tenant ' +
    'may still be paused. Run the command that stands beside it.',
  service:
    'The program that owns the tenants and writes their files. It answers ' +
    'the admin API, or holdfast runs its hook commands.',
  'admin-api':
    'Seven calls that a service answers, over a unix socket or TLS: it lists ' +
    'its tenants, stops using one, and takes it up again. ' +
    'The file `admin-api.yaml` of the package is the contract. `holdfast ' +
    'doctor --tenant ID` tests a service against it.',
  gate:
    'The part of holdfast that a Node service embeds (`holdfast/gate`). It answers the admin API for ' +
    'the service. It lets requests of a tenant wait while the tenant stands still.',
  hooks:
    'Three commands for a service without an admin API: they list its tenants, pause one and resume one. ' +
    'A pause by hooks has no lease, so only a resume ends it. See the key service.hooks.',
  registry:
    "The service's own list of its tenants and their files. holdfast asks for it in each run. " +
    "The service's list is the truth: the ledger is only compared with it.",
  quiesce:
    'The service stops using a tenant: it lets running requests end, then closes all ' +
    "handles of the tenant's files. The tenant stands still until the resume.",
  drain:
    'The first part of a quiesce: the service lets the requests and jobs that are running ' +
    'come to their end, and begins no new ones. hold.drainTimeout limits it.',
  resume:
    'The service takes up a tenant that stood still. holdfast then asks whether ' +
    'the tenant serves again, and believes only what it sees.',
  pause:
    'The time a tenant stands still, as its users notice it. Reports give it in milliseconds. hold.maxPause limits it.',
  lease:
    "The service's promise to keep a tenant still for a time (hold.ttl). It ends " +
    'by itself, so a tenant is resumed even if holdfast is gone. ' +
    'A pause by hooks has no lease.',
  'kernel-lease':
    'A promise of Linux (F_SETLEASE). The kernel grants it only if no other process has the file open or mapped. ' +
    'While it stands, the kernel holds back each process that opens the file. It is the strongest part of a seal.',
  fence:
    'A number that the service raises with each lease of a tenant. It tells an old ' +
    'lease from a new one, so a late request cannot end the wrong pause.',
  hold:
    'The time from the lease to the resume, during which a tenant stands still. holdfast ' +
    'locks, proves and copies in it. All files of a tenant share one hold.',
  holder:
    'A process that has a file open, mapped or locked. `holdfast holders FILE` lists ' +
    'them. In a lease, the holder is the name of the run that asked for it.',
  seal:
    "The verified exclusive lock on a live set. holdfast locks SQLite's own bytes, a second " +
    'process is refused, and the kernel attests that nobody else has the files.',
  probe:
    "A second process that must be refused. It tries SQLite's lock bytes, then a read and a " +
    'write with SQLite. If it is let in, locks do not work here and the run stops.',
  proof:
    'What was observed before and after the copy: inode, size, times, change counter and WAL ' +
    'salts. Both observations must be equal, else the copy is thrown away.',
  guardian:
    'A small process beside each run. It kills the run if it is stuck when its time ' +
    'is over. If the run dies, the guardian has the tenants resumed.',
  snapshot:
    'A private copy of a live set that came out of a hold with both proofs. holdfast checks snapshots and ' +
    'never live files. They are deleted after the check, unless you ask to keep them.',
  draft:
    'A snapshot that is not proven yet. Its name ends in `.partial`, and no check reads ' +
    'it. It becomes a snapshot after the second proof, or is deleted.',
  'warm-copy':
    'A copy of a large WAL database that is made before the pause, while the service ' +
    'writes. During the pause only the rest is copied. See hold.warmAbove.',
  evidence:
    'The record of lease, seal, proofs and snapshot. It stands in each ' +
    'result, so a reader can see how far the verdict is proven.',
  check: 'The reading of a snapshot, in processes of their own that are confined. A check never opens a live file.',
  depth:
    'How much a check reads. `full` compares each index with its table, row by row. `quick` ' +
    'checks the structure only: it never clears an earlier finding of damage.',
  engine:
    "Who compares rows with index entries. `census` is holdfast's own comparison " +
    "beside SQLite's quick check; `sqlite` is SQLite's integrity check.",
  census:
    "holdfast's own comparison of all rows with all index entries, in about one pass " +
    'over the file. It names each row and entry that does not agree.',
  confinement:
    'How the process that read a snapshot was locked in. See `own-folder`, `other-user` and `few-calls`. ' +
    'A file may be hostile, so holdfast reads none if it cannot confine the process.',
  'own-folder':
    'A part of the confinement: the reading process sees no folder but its ' +
    'own, with the snapshot in it. Only root can set this up.',
  'other-user':
    'A part of the confinement: the reading process runs as an unprivileged user. Only root can set this up.',
  'few-calls':
    'A part of the confinement: the kernel refuses the reading process ' +
    'network, programs, other processes and odd files (seccomp).',
  coverage:
    'How much of a snapshot was read: pages, objects, and what was left out with ' +
    'the reason. What was left out keeps a file from being `sound`.',
  finding:
    'One thing found wrong in a snapshot. It has a rule, an object, a severity and ' +
    'often rows. `holdfast explain RULE` says what a rule means.',
  damage: 'A severity: data or structure is wrong. A result with such a finding is `damaged`.',
  leak:
    'A severity: space in the file is lost, no data. A result with a leak is ' +
    '`damaged`, of the class `structure` if nothing worse was found.',
  notice:
    'A severity: content that an application may have put there itself, such as a violated ' +
    'foreign key. A file with notices only is sound. The report lists them.',
  verdict:
    'What a check concludes: `sound`, `damaged` or `inconclusive`. A result is `failed` where no check could begin.',
  remedy: 'What will mend the damage: `nothing`, `rebuild`, `restore` or `ask`. Reports name it with the reason.',
  rehearsal:
    'A remedy carried out on a copy and checked, before anything live is touched. This ' +
    'version rehearses nothing, so its reports say `rehearsed: false`.',
  salvage:
    'What indexes still hold of rows that their table has lost. `check --show-values` ' +
    'prints these values; without it they never stand in a report.',
  'last-good':
    'What the ledger keeps of the last sound check of a file: digests of its pages and tables. ' +
    'A later check sees by it whether bytes changed although nothing wrote.',
  ledger:
    "holdfast's own durable history, in the folder ledger.dir: each hold, each result, " +
    'each run. A hold that a crash left open is found in it and ended.',
  run:
    'One start of holdfast that checks files, with an id. Two runs never work on ' +
    'one service at a time: the second ends with RUN_ACTIVE.',
  sweep:
    'A run over all tenants of a service in turn. Tenants that were never checked or ' +
    'not found sound come first, then those with the oldest check.',
  doctor:
    'The command that tests whether this machine and this service are fit for holdfast: ' +
    'locks, leases, permissions, space, and the contract step by step.',
  comparison:
    'Two snapshots read side by side, table by table and row by row: ' +
    '`holdfast compare A B`. A difference is no damage.',
  accepted:
    'A limit of a check that the configuration lets pass (check.accept). It stays in ' +
    'the coverage and no longer keeps the verdict from being sound.',
  bug:
    'A defect in holdfast itself: exit code 70. It says nothing about ' +
    'any tenant. Report it with what stands on stderr.',
}
