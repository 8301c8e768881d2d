/** `init`: the text of a holdfast.yaml for the databases that programs have open. */
import type { OpenDatabase, OpenDatabases } from '../../hold/live/open-databases.ts'
import { count } from '../../text/count.ts'
import { humanBytes } from '../../text/units.ts'
import { patternsFor, type NamedDatabases } from './file-patterns.ts'
import { splitByLifetime } from './temporary-files.ts'
import { comment, quotedYaml } from './yaml-words.ts'

export interface InitTerms {
  readonly version: string
  /** ms since 1970. */
  readonly at: number
  /** Root may use the usual folders. */
  readonly isRoot: boolean
}

/** A configuration names no more of each. */
const patternsMax = 200
const namedMax = 5
const stoppedFilesMax = 20

export function configurationText(found: OpenDatabases, terms: InitTerms): string {
  return [
    ...heading(terms),
    '',
    ...servicePart(found),
    '',
    ...holdPart,
    '',
    ...foldersPart(terms),
    '',
    ...restPart,
    '',
    ...hooksPart(splitByLifetime(found.databases).lasting),
    '',
  ].join('\n')
}

const heading = ({ version, at }: InitTerms): readonly string[] => [
  ...comment(`Written by \`holdfast init\` (holdfast ${version}) on ${new Date(at).toISOString().slice(0, 10)}.`),
  ...comment(
    'Read it, then run `holdfast doctor` and `holdfast sweep`. `holdfast install systemd` prints the units for every ' +
      'night. `holdfast explain KEY` describes each key.',
  ),
]

const exampleFiles = '/srv/app/**/*.sqlite'

function servicePart({ databases, unusable, unseen }: OpenDatabases): readonly string[] {
  const { lasting, temporary } = splitByLifetime(databases)
  const patterns = patternsFor(lasting)
  return [
    'service:',
    ...comment('The name in reports and in the ledger. Services that share a ledger need different names.', '  '),
    '  name: programs',
    ...comment(
      'The database files of programs that holdfast cannot pause. Each file is a tenant: its id is its path below ' +
        'the folder that all patterns share. * matches within one name, ** any number of folders.',
      '  ',
    ),
    ...(patterns.length === 0
      ? comment(
          'No program was found that has a SQLite database open for good. This is an example: name your own files.',
          '  ',
        )
      : []),
    '  files:',
    ...(patterns.length === 0
      ? [`    - ${quotedYaml(exampleFiles)}`]
      : patterns.slice(0, patternsMax).flatMap(fileLines)),
    ...(patterns.length > patternsMax
      ? comment(`${count(patterns.length - patternsMax, 'pattern is', 'patterns are')} left out here.`, '    ')
      : []),
    ...temporary.slice(0, patternsMax).flatMap(temporaryLines),
    ...unusable.slice(0, patternsMax).flatMap(({ path, why }) => comment(`not named: ${path}: ${why}`, '    ')),
    ...unseen.flatMap((what) => comment(`not seen: ${what}`, '    ')),
  ]
}

function fileLines({ pattern, databases }: NamedDatabases): readonly string[] {
  const more = databases.length - namedMax
  return [
    ...databases.slice(0, namedMax).flatMap((database) => comment(describe(database, databases.length > 1), '    ')),
    ...(more > 0 ? comment(`and ${count(more, 'database')} more`, '    ') : []),
    `    - ${quotedYaml(pattern)}`,
  ]
}

const temporaryLines = (database: OpenDatabase): readonly string[] =>
  comment(
    `left out: ${describe(database, true)}. It lies in a folder for temporary files. If it is there for good, add it.`,
    '    ',
  )

/** `vault (pid 7, user vault, vault.service): WAL, 12 MB` */
function describe({ path, bytes, walBytes, journalMode, programs }: OpenDatabase, isNamed: boolean): string {
  const named = programs.slice(0, namedMax).map(({ pid, command, user, unit }) => {
    const facts = [`pid ${pid}`, ...(user === null ? [] : [`user ${user}`]), ...(unit === null ? [] : [unit])]
    return `${command} (${facts.join(', ')})`
  })
  const others = programs.length > namedMax ? ` and ${programs.length - namedMax} more` : ''
  const wal = walBytes > 0 ? `, and a WAL of ${humanBytes(walBytes)}` : ''
  const mode = journalMode === 'wal' ? 'WAL mode' : 'rollback journal'
  return `${isNamed ? `${path}: ` : ''}${named.join(', ')}${others}: ${mode}, ${humanBytes(bytes)}${wal}`
}

const holdPart: readonly string[] = [
  'hold:',
  ...comment(
    '`pinned`: holdfast copies a file while its program writes. The program does not stop: the locks of SQLite keep ' +
      'the copied bytes still. That proves less than `sealed`, which needs a file that no program has open. ' +
      '`holdfast explain pinned` says what it does not prove.',
    '  ',
  ),
  '  require: pinned',
]

const foldersPart = ({ isRoot }: InitTerms): readonly string[] =>
  isRoot
    ? [
        ...comment('Where holdfast keeps its history, and the copies that it checks.'),
        '# ledger: { dir: /var/lib/holdfast }',
        '# snapshots: { dir: /var/lib/holdfast/snapshots }',
      ]
    : [
        ...comment(
          'Where holdfast keeps its history, and the copies that it checks. Root may leave out both: then they are ' +
            'in /var/lib/holdfast.',
        ),
        'ledger: { dir: ./holdfast }',
        'snapshots: { dir: ./holdfast/snapshots }',
      ]

const restPart: readonly string[] = [
  ...comment('Verified backups: each sweep keeps the copies that it found sound. A disk of its own is best.'),
  '# backups: { dir: /srv/backup/holdfast, keep: { last: 3, daily: 7, weekly: 5 } }',
  '',
  ...comment('Where alarms go. `holdfast alerts test` tries every sink.'),
  '# alerts: [ { command: [/usr/local/bin/page] } ]',
]

/** A configuration of its own, in comments: one that stops and starts the programs. */
function hooksPart(databases: readonly OpenDatabase[]): readonly string[] {
  const units = unitsOf(databases)
  const example: readonly UnitFiles[] = [{ unit: 'app', files: ['/srv/app/data.sqlite'] }]
  const shown = units.length === 0 ? example : units
  const list = JSON.stringify(shown.map(({ unit, files }) => ({ id: unit, files })))
  const roots = [
    ...new Set(shown.flatMap(({ files }) => files.map((file) => file.slice(0, file.lastIndexOf('/')) || '/'))),
  ]
  return [
    ...comment(
      '`repair`, `restore` and the level `sealed` need a program that does not have the file open. These hooks stop ' +
        'and start it, which is an outage of seconds. Put them in the place of the section `service` above. With ' +
        '`require: pinned` only `repair` and `restore` use them.',
    ),
    '#',
    '# service:',
    '#   name: programs',
    '#   hooks:',
    `#     tenants: [printf, "%s", ${quotedYaml(list)}]`,
    '#     quiesce: [systemctl, stop, "{tenant}.service"]',
    '#     resume: [systemctl, start, "{tenant}.service"]',
    '#     timeout: 2m',
    `# tenants: { roots: [${roots.map(quotedYaml).join(', ')}] }`,
  ]
}

interface UnitFiles {
  /** Without `.service`. */
  readonly unit: string
  readonly files: readonly string[]
}

/** Files with several units are left out: to stop one of them is not enough. So is a path that YAML cannot hold. */
function unitsOf(databases: readonly OpenDatabase[]): readonly UnitFiles[] {
  const owned = databases.flatMap(({ path, programs }) => {
    const [unit, ...more] = new Set(programs.map((program) => program.unit))
    return unit == null || more.length > 0 || !path.isWellFormed()
      ? []
      : [{ unit: unit.replace(/\.service$/, ''), path }]
  })
  return [...Map.groupBy(owned.slice(0, stoppedFilesMax), ({ unit }) => unit)].map(([unit, files]) => ({
    unit,
    files: files.map(({ path }) => path),
  }))
}
