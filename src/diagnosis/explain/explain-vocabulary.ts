/** The words of holdfast. Each has one meaning, explained in two or three sentences. */

export const vocabulary: Readonly<Record<string, string>> = {
  tenant:
    "One customer's data: an id and its live set. The service names the id and the database files. With " +
    'service.files each database file is a tenant, and its id is made from its path.',
  'live-set':
    'A database file with the files that SQLite keeps beside it: `-wal`, `-shm` and `-journal`. holdfast ' +
    'always handles them as one. One of them without the others may be another state of the data.',
  wal:
    'The write-ahead log, the file `-wal` beside a database. In WAL mode a program writes each change there first. ' +
    'A checkpoint writes it into the main file later. So the main file alone may lack the newest data.',
  'rollback-journal':
    'The file `-journal` beside a database that is not in WAL mode. It keeps the old pages while a program changes ' +
    'the main file. After a crash it is hot: SQLite puts the old pages back at the next start.',
  checkpoint:
    'The step of SQLite that writes the WAL into the main file. While holdfast pins the file, a checkpoint is put off.',
  manifest:
    'A file beside a kept snapshot (`pull`, `check --keep-snapshot`). It says which files were copied, when, ' +
    'how they were proven, and their digests.',
  page:
    'The unit in which SQLite reads and writes a database file, often 4096 bytes. Pages are numbered from 1. ' +
    'Each belongs to a table, an index or the free list.',
  row: 'One record of a table. Reports name it by its rowid, or by its primary key in a table WITHOUT ROWID.',
  rowid:
    'The number by which SQLite finds a row of a table. An INTEGER PRIMARY KEY is the rowid. Without one, ' +
    'VACUUM may give a row another number.',
  entry:
    'What an index holds for a row: the values of the indexed columns and the key of the row. Each row that ' +
    'the index covers must have one entry.',
  clock:
    'The clock that timed a pause: the clock of the service if it has an admin API, otherwise the clock of ' +
    'holdfast. The column PAUSE always uses the clock of holdfast, from the request to pause until the ' +
    'tenant was seen serving.',
  'salvage-command':
    'The statement after `list` in a report. Type it into `sqlite3` on a copy: it lists the rows or values ' +
    'of a finding.',
  contract:
    'What a service promises holdfast: `admin-api.yaml` for an admin API, or the three commands of ' +
    'service.hooks. `holdfast doctor --tenant ID` tests it; the end of `holdfast doctor --help` lists its ' +
    'promises.',
  stale:
    'A word of `status`, STALE: no full sweep or no full check of a tenant within --max-age. It reports nothing ' +
    'about the data: check again.',
  'not-covered':
    'A word of a report, NOT COVERED: tenants that a run selected and did not reach before it ended. The run ' +
    'says nothing about them.',
  'paused?':
    'A word of `status`, PAUSED?: a hold began and was never seen to end. The tenant may still be paused. ' +
    'Run the command beside it.',
  service:
    'The program that owns the tenants and writes their files. It answers the admin API, or holdfast runs ' +
    'its hook commands. With service.files holdfast asks nothing of it, and finds its files by patterns.',
  'admin-api':
    'Seven calls that a service answers, over a unix socket or TLS: it lists its tenants, stops using one, ' +
    'and resumes it. The file `admin-api.yaml` of the package is the contract. `holdfast doctor --tenant ID` ' +
    'tests a service against it.',
  gate:
    'The part of holdfast that a Node service embeds (`holdfast/gate`). It answers the admin API for the ' +
    'service. It makes the requests of a tenant wait while the tenant is paused.',
  hooks:
    'Three commands for a service without an admin API: they list its tenants, pause one and resume one. A ' +
    'pause by hooks has no lease, so only a resume ends it. See the key service.hooks.',
  registry:
    "The service's own list of its tenants and their files. holdfast asks for it in each run. The service's " +
    'list is the truth: the ledger is only compared with it.',
  quiesce:
    'The service stops using a tenant: it waits for running requests to end, then closes all ' +
    "handles of the tenant's files. The tenant is paused until the resume.",
  drain:
    'The first part of a quiesce: the service waits until running requests and jobs have ended, and begins ' +
    'no new ones. hold.drainTimeout limits it.',
  resume:
    'The service uses a paused tenant again. holdfast then checks that the tenant serves, and believes only ' +
    'what it sees.',
  pause:
    'The time from the request to quiesce a tenant until holdfast has seen it serving again. Reports give it in ' +
    'milliseconds. hold.maxPause limits it.',
  lease:
    "The service's promise to keep a tenant paused for a limited time (hold.ttl). It ends " +
    'by itself, so a tenant is resumed even if holdfast is gone. A pause by hooks has no lease.',
  'kernel-lease':
    'A promise of Linux (F_SETLEASE). The kernel grants it only if no other process has the file open or ' +
    'mapped. While the lease lasts, the kernel delays every process that opens the file. It is the strongest ' +
    'part of a seal.',
  fence:
    'A number that the service raises with each lease of a tenant. It distinguishes an old lease from a new one, so ' +
    'a late request cannot end the wrong pause. The slots of a fleet have fences too.',
  hold:
    'The work that takes the snapshots of one tenant, in three phases: prepare, pause, publish. Only in the ' +
    'pause the tenant stands still, and holdfast locks, proves and copies. All files of a tenant share one hold.',
  holder:
    'A process that has a file open, mapped or locked. `holdfast holders FILE` lists them. In a lease, the ' +
    'holder is the name of the run that asked for it.',
  seal:
    "The verified exclusive lock on a live set. holdfast locks SQLite's own bytes, a second " +
    'process is refused, and the kernel attests that no other process has the files.',
  pin:
    'The locks of a reader that holdfast keeps on a database in use. They keep the main file still during the copy, ' +
    'while programs go on reading and writing. See `pinned`, and the section `live` of the configuration.',
  live:
    'A check of a database while its program uses it, by `check --live` or the level pinned in hold.require. No ' +
    'program is paused. The proof is weaker, and a remedy needs a file that no program has open. See `pinned`.',
  probe:
    "A second process that must be refused. It tries SQLite's lock bytes, then a read and a " +
    'write with SQLite. If it gets in, locks do not work here and the run stops.',
  proof:
    'What was observed before and after the copy: inode, size, times, change counter and WAL salts. Both ' +
    'observations must be equal, otherwise holdfast deletes the copy.',
  guardian:
    'A small process beside each run. If a run is still holding a file at its deadline, the guardian kills the ' +
    'run. If a run dies, the guardian resumes its tenants.',
  snapshot:
    'A private copy of a live set that came out of a hold with both proofs. holdfast checks snapshots and ' +
    'never live files. They are deleted after the check, unless you ask to keep them.',
  draft:
    'A snapshot that is not proven yet. Its name ends in `.partial`, and no check reads it. It becomes a ' +
    'snapshot after the second proof, or is deleted.',
  'warm-copy':
    'A copy of a large WAL database that is made before the pause, while the service writes. During the ' +
    'pause holdfast copies only the rest. See hold.warmAbove.',
  evidence:
    'The record of lease, seal, proofs and snapshot. Each result has it, so a reader can see how far the ' +
    'verdict is proven.',
  check: 'The reading of a snapshot, in processes of their own that are confined. A check never opens a live file.',
  depth:
    'How much a check reads. `full` compares each index with its table, row by row. `quick` checks the ' +
    'structure only: it never clears an earlier finding of damage.',
  engine:
    "The program that compares rows with index entries. `census` is holdfast's own comparison beside " +
    "SQLite's quick check; `sqlite` is SQLite's integrity check.",
  census:
    "holdfast's own comparison of all rows with all index entries, in about one pass " +
    'over the file. It names each row and entry that does not agree.',
  confinement:
    'What kept the process that read a snapshot from everything else. See `own-folder`, `other-user` and ' +
    '`few-calls`. A file may be hostile, so holdfast reads none if it cannot confine the process.',
  'own-folder':
    'A part of the confinement: the reading process sees no folder but its own, with the snapshot in it. ' +
    'Only root can set this up.',
  'other-user':
    'A part of the confinement: the reading process runs as an unprivileged user. Only root can set this up.',
  'few-calls':
    'A part of the confinement: the kernel refuses the reading process network, programs, other processes ' +
    'and special files (seccomp).',
  coverage:
    'How much of a snapshot was read: pages, objects, and each part that was not read, with the reason. A ' +
    'part that was not read keeps a file from being `sound`.',
  finding:
    'One thing found wrong in a snapshot. It has a rule, an object, a severity and often rows. ' +
    '`holdfast explain RULE` says what a rule means.',
  damage: 'A severity: data or structure is wrong. A result with such a finding is `damaged`.',
  leak:
    'A severity: space in the file is lost, but no data. A result with a leak is `damaged`, of the class ' +
    '`structure` if nothing worse was found.',
  notice:
    'A severity: content that an application may have put there itself, such as a violated foreign key. A ' +
    'file with only notices is sound. The report lists them.',
  verdict:
    'What a check concludes: `sound`, `damaged` or `inconclusive`. A result is `failed` if no check could begin.',
  remedy: 'What will mend the damage: `nothing`, `rebuild`, `restore` or `ask`. Reports give it with the reason.',
  rehearsal:
    'A remedy that is carried out on a copy by a confined process. The copy is checked wholly, and its tables ' +
    'are compared with those before. Only what passes may be applied. See check.rehearse.',
  plan:
    'What `repair` and `restore` print before they change anything. It has the remedy, its rehearsal, the predicted ' +
    'pause, the space, what would be lost in each table, and the command that undoes it.',
  account:
    'A file that lists the rows of a remedy by key: kept, added, conflicting, deleted, unreadable. It may hold ' +
    'values of dropped index entries, so only its owner can read it. See accounts.dir.',
  quarantine:
    'The folder with the originals of changed files, companions included (quarantine.dir). holdfast never ' +
    'deletes them. `--undo` puts them back.',
  change:
    'One remedy that was applied to a live set, with an id. The ledger and the quarantine record it. ' +
    '`holdfast repair --undo ID` takes it back.',
  undo:
    '`--undo` puts the kept original of a change back, byte for byte, in a pause of its own. It is refused once the ' +
    'file was written after the change, because what was written since must not be lost.',
  'to-decide':
    'A word of a report, TO DECIDE: this command cannot mend the file. The line `next` names a command that goes on, ' +
    'and a person decides. See `ask`.',
  orphaned:
    'Rows of a salvage whose place is not certain: they lie on pages that no table owns, or violate a constraint. ' +
    'They are in tables of their own: for the table "orders" in holdfast_orphaned_orders.',
  backup:
    'A snapshot that was kept because its check found it sound (backups.dir). `holdfast backups list` shows all. ' +
    'A backup is verified once it was restored to a scratch folder and checked.',
  'self-healing':
    '`holdfast sweep --heal` rebuilds indexes and full-text indexes by itself. It is off by default, and changes ' +
    'at most heal.limit tenants in one sweep, each at most once a day.',
  salvage:
    '`holdfast salvage FILE --to NEW` writes every row that it can read into a new file. In a check, salvage is ' +
    'what indexes still hold of rows that their table has lost. `check --show-values` prints these values; ' +
    'without it no report contains them.',
  'last-good':
    'What the ledger keeps of the last sound check of a file: digests of its pages and tables. With it a ' +
    'later check sees whether bytes changed although nothing wrote.',
  ledger:
    "holdfast's own durable history, in the folder ledger.dir: each hold, each result, " +
    'each run. With it, holdfast finds and ends a hold that a crash left open.',
  run:
    'One start of holdfast that checks files, with an id. Two runs never work on one service at a time: the ' +
    'second ends with RUN_ACTIVE.',
  sample:
    'A check of a part of the pages (`--depth sample=10%`), for files that are too large for one night. The next ' +
    'sample begins where the last one stopped. It compares no rows with index entries, so its verdict is ' +
    'inconclusive (exit code 3) or damaged. It never counts as a full check, and it clears no damage.',
  sweep:
    'A run over all tenants of a service in turn. Tenants that were never checked or not found sound come ' +
    'first, then those with the oldest check.',
  triage:
    '`holdfast triage` seeks the tenant that makes the service crash. It checks the most suspicious tenant first: ' +
    'quickly, and then deeply. If the service is down, it checks the files without it.',
  suspicion:
    'A reason to check a tenant early in a triage: a crash left a journal, it was written last, or damage is known. ' +
    'A suspicion is not a finding: the check decides.',
  culprit:
    'A damaged tenant that a triage finds. The triage prints it immediately, with the command that goes on. Another ' +
    'tenant may be damaged too: `--first` stops at the first one.',
  incident:
    'Runs that belong together, from a triage on. What one of them found sound is compared with what the next one ' +
    'finds. If such a file is then damaged, the result is HARM_SUSPECTED. An incident ends with a full sweep that ' +
    'finds all tenants sound, or after 24 hours.',
  alarm:
    'A message to the sinks of `alerts`: damage, a tenant that may be paused, or a run that is missing. ' +
    '`holdfast alerts test` sends one of each kind.',
  sink: 'A command, a webhook or a heartbeat that gets alarms. The key `alerts` lists the sinks.',
  reconcile:
    "`holdfast reconcile` compares the service's list of tenants, the files, the backups and the ledger. It finds " +
    'files that no tenant claims, and tenants without files. It reports nothing about damage.',
  bundle:
    'An archive with the evidence of a run or of an incident, to study it elsewhere: `holdfast bundle`. Contents of ' +
    'rows are masked.',
  doctor:
    'The command that tests whether this machine and this service are fit for holdfast: locks, leases, ' +
    'permissions, space, and the contract step by step.',
  fleet:
    'Several hosts that are checked as one: an agent on each, a coordinator on one or two, and one database. A hold ' +
    'needs the database to begin, and never to end. See the section `fleet` of the configuration.',
  agent:
    "`holdfast agent`, one process on each host of a fleet. It checks the tenants of its host's service, and " +
    'delivers the results to the database. While it cannot reach the database, it keeps them.',
  coordinator:
    '`holdfast coordinator`, on one or two hosts of a fleet. It divides each sweep among the agents, frees the ' +
    'slots of dead agents, and sends the alarms of the fleet. It touches no tenant.',
  chunk:
    'At most 50 tenants of one host that an agent gets together. If not all of them have a result, the host gets the ' +
    'chunk again, at most three times.',
  slot:
    'The permission of a fleet to pause one tenant at a time. There are as many slots as fleet.maxPaused allows. ' +
    'An agent gives its slot back. The slot of a dead agent is freed after fleet.expiry.',
  breaker:
    'While it is open, no host of the fleet pauses a tenant. `holdfast fleet pause` opens it, and so do results that ' +
    'suspect harm. Only `holdfast fleet resume` closes it.',
  outbox:
    "The results of an agent that the fleet's database has not stored yet, in a file beside the ledger. At " +
    'fleet.outbox.max the agent pauses no more tenants, and reports it.',
  comparison:
    'Two snapshots read side by side, table by table and row by row: `holdfast compare A B`. A difference is ' +
    'not damage.',
  accepted:
    'A limit of a check that the configuration accepts (check.accept). The coverage still lists it, but the ' +
    'verdict may be sound.',
  bug:
    'A defect in holdfast itself: exit code 70. It says nothing about any tenant. Report it with the text on ' +
    'stderr.',
}
