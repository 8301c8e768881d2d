/**
 * `npm run bench -- pause|live|sweep|check|salvage|repair`. A measurement works in a temporary folder. It removes it
 * at its end, also after Ctrl-C. It compares programs in one run on the same files: figures of two runs or machines
 * cannot be compared.
 */
import { resolve } from 'node:path'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { measureChecks } from './check.ts'
import { measureLive } from './live/measure-live.ts'
import { measurePauses, pauseKinds, type PauseKind } from './pause.ts'
import { measureRepair } from './repair/measure-repair.ts'
import { measureSalvage } from './salvage/measure-salvage.ts'
import { measureSweep } from './sweep.ts'
import { describeChecks } from './text/describe-checks.ts'
import { describeLive } from './text/describe-live.ts'
import { describePauses } from './text/describe-pauses.ts'
import { describeRepair } from './text/describe-repair.ts'
import { describeSalvageFigures } from './text/describe-salvage.ts'
import { describeSweep } from './text/describe-sweep.ts'
import { parseBytes } from './units.ts'
import { withWorkspace, type Workspace } from './workspace.ts'

const help = `npm run bench -- pause|live|sweep|check|salvage|repair [options]

pause   how long a tenant stands still while the service works, measured by the service;
        and in the same run: copies of the same files by .backup, VACUUM INTO and cp
  --sizes LIST       sizes of the tenants               (100MB,500MB,1GB)
  --kinds LIST       ${pauseKinds.join(', ')}           (all that this machine supports)
  --holds N          holds of each tenant               (40; below 100 the p99 is the longest)
  --tps N            transactions a second meanwhile    (100)
  --no-alternatives  measures only our own pauses

live    copies of a file beside a program that writes to it, by holdfast (--live), .backup, VACUUM INTO,
        backup() and cp: time, bytes, and how long transactions take, each beside a phase without copies
  --bytes SIZE       size of the file                   (200MB)
  --rounds N         phases of each way                 (2)

sweep   whole sweeps of a service, in turn with a shell loop of
        sqlite3 FILE 'PRAGMA integrity_check' over the same files; memory and open descriptors
  --tenants N        number of tenants                  (1000)
  --bytes SIZE       size of each                       (1MB)
  --rounds N         measurements of each program       (3)
  --program FILE     the program to measure             (bin/holdfast.js of this folder)
  --only-sweep       one sweep without the loop: memory and descriptors with very many tenants
  --arg TEXT         an argument for the sweep, repeatable (--arg=--max-paused --arg=2)

check   the full check of one large database, in turn with sha256sum and with PRAGMA integrity_check
        by better-sqlite3 and by sqlite3; memory of all processes
  --rows N           rows of its largest table          (3000000, which are 560 MB)
  --rounds N         measurements of each program       (3)
  --workers N        child processes that count         (2)

salvage wounds of tables, each salvaged by us and by .recover of a sqlite3 shell that is built from
        Debian's source package: rows brought back, invented, unaccounted for
  --wounds N         number of wounds                   (200)
  --seed N           chooses them                       (1)
  --rows N           rows of the largest table          (2000)

repair  rebuilding three indexes beside REINDEX by sqlite3; a backup beside .backup and zstd -3; and how long
        a tenant is paused for a change
  --rows N           rows of its largest table          (2700000, which are 500 MB)
  --rounds N         measurements of each program       (3)
  --changes N        changes of the tenant, half undone (20)

all
  --seconds N        begins nothing new after this time (900; live: 180)
  --dir DIR          where to make the temporary folder (TMPDIR)
  --json             prints one JSON document instead of the text
  --help             prints this help`

const options = {
  sizes: { type: 'string', default: '100MB,500MB,1GB' },
  kinds: { type: 'string', default: pauseKinds.join(',') },
  holds: { type: 'string', default: '40' },
  tps: { type: 'string', default: '100' },
  'no-alternatives': { type: 'boolean', default: false },
  tenants: { type: 'string', default: '1000' },
  bytes: { type: 'string' },
  rounds: { type: 'string' },
  program: { type: 'string', default: resolve(import.meta.dirname, '../../bin/holdfast.js') },
  'only-sweep': { type: 'boolean', default: false },
  arg: { type: 'string', multiple: true, default: [] },
  rows: { type: 'string' },
  workers: { type: 'string', default: '2' },
  changes: { type: 'string', default: '20' },
  wounds: { type: 'string', default: '200' },
  seed: { type: 'string', default: '1' },
  seconds: { type: 'string' },
  dir: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsConfig['options']

const measurements = { pause, live, sweep, check, salvage, repair }
const isMeasurement = (word: string | undefined): word is keyof typeof measurements =>
  word !== undefined && Object.hasOwn(measurements, word)

process.exitCode = await run()

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [what] = positionals
  if (values.help) return print(help)
  if (!isMeasurement(what) || positionals.length > 1) {
    process.stderr.write(`${help}\n`)
    return 64
  }
  const seconds = whole(values.seconds ?? (what === 'live' ? '180' : '900'), 'seconds')
  return withWorkspace(
    { parent: values.dir ?? null, seconds, report: (line) => void process.stderr.write(`${line}\n`) },
    async (workspace) => {
      const { figures, text } = await measurements[what](values, workspace)
      return print(values.json ? JSON.stringify(figures, null, 2) : text)
    },
  )
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']
interface Outcome {
  readonly figures: object
  readonly text: string
}

async function pause(values: Values, workspace: Workspace): Promise<Outcome> {
  const figures = await measurePauses(workspace, {
    sizes: values.sizes.split(',').map(parseBytes),
    kinds: kindsOf(values.kinds),
    holds: whole(values.holds, 'holds'),
    perSecond: whole(values.tps, 'tps'),
    alternatives: !values['no-alternatives'],
  })
  return { figures, text: describePauses(figures) }
}

async function live(values: Values, workspace: Workspace): Promise<Outcome> {
  const figures = await measureLive(workspace, {
    bytes: parseBytes(values.bytes ?? '200MB'),
    rounds: whole(values.rounds ?? '2', 'rounds'),
  })
  return { figures, text: describeLive(figures) }
}

async function sweep(values: Values, workspace: Workspace): Promise<Outcome> {
  const figures = await measureSweep(workspace, {
    tenants: whole(values.tenants, 'tenants'),
    bytes: parseBytes(values.bytes ?? '1MB'),
    rounds: whole(values.rounds ?? '3', 'rounds'),
    program: resolve(values.program),
    sweepsOnly: values['only-sweep'],
    args: values.arg,
  })
  return { figures, text: describeSweep(figures) }
}

async function check(values: Values, workspace: Workspace): Promise<Outcome> {
  const figures = await measureChecks(workspace, {
    rows: whole(values.rows ?? '3000000', 'rows'),
    rounds: whole(values.rounds ?? '3', 'rounds'),
    workers: whole(values.workers, 'workers'),
  })
  return { figures, text: describeChecks(figures) }
}

async function salvage(values: Values, workspace: Workspace): Promise<Outcome> {
  const figures = await measureSalvage(workspace, {
    wounds: whole(values.wounds, 'wounds'),
    rows: whole(values.rows ?? '2000', 'rows'),
    seed: whole(values.seed, 'seed'),
  })
  return { figures, text: describeSalvageFigures(figures) }
}

async function repair(values: Values, workspace: Workspace): Promise<Outcome> {
  const figures = await measureRepair(workspace, {
    rows: whole(values.rows ?? '2700000', 'rows'),
    rounds: whole(values.rounds ?? '3', 'rounds'),
    changes: whole(values.changes, 'changes'),
  })
  return { figures, text: describeRepair(figures) }
}

function kindsOf(list: string): readonly PauseKind[] {
  return list.split(',').map((name) => {
    const kind = pauseKinds.find((kind) => kind === name)
    if (!kind) throw new TypeError(`--kinds: ${JSON.stringify(name)} is not one of ${pauseKinds.join(', ')}`)
    return kind
  })
}

function whole(text: string, name: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new TypeError(`--${name} must be a whole number of at least 1, not ${JSON.stringify(text)}`)
  return number
}

function print(text: string): number {
  process.stdout.write(`${text}\n`)
  return 0
}
