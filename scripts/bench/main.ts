import { resolve } from 'node:path'
/**
 * The measurements: `npm run bench -- pause` and `npm run bench -- sweep`. Everything happens in a temporary folder
 * that is removed in the end, also after Ctrl-C; each measurement ends by itself. What is compared is compared in one
 * run, on the same files: the figures of two runs, or of two machines, say nothing about each other.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { describeChecks } from './check-text.ts'
import { measureChecks } from './check.ts'
import { describePauses } from './pause-text.ts'
import { measurePauses, pauseKinds, type PauseKind } from './pause.ts'
import { describeSweep } from './sweep-text.ts'
import { measureSweep } from './sweep.ts'
import { parseBytes } from './units.ts'
import { withWorkplace, type Workplace } from './workplace.ts'

const help = `npm run bench -- pause|sweep|check [options]

pause   how long a tenant stands still, measured at the service, while the service works on;
        and on the same files in the same run: sqlite3 .backup, VACUUM INTO, lock-and-cp
  --sizes LIST       sizes of the tenants               (100MB,500MB,1GB)
  --kinds LIST       ${pauseKinds.join(', ')}           (all that this machine can)
  --holds N          holds of each tenant               (40; of fewer than 100 p99 is the longest)
  --tps N            transactions a second meanwhile    (100)
  --no-rivals        only our own pauses

sweep   whole sweeps of a service against a bare shell loop of
        sqlite3 FILE 'PRAGMA integrity_check' over the same files, in turn; memory and descriptors
  --tenants N        how many                           (1000)
  --bytes SIZE       size of each                       (1MB)
  --rounds N         how often each is measured         (3)
  --program FILE     the program to measure             (bin/holdfast.js of this folder)
  --only-sweep       one sweep, nothing to compare with: for memory and descriptors over very many tenants
  --arg TEXT         an argument for the sweep, repeatable (--arg=--max-paused --arg=2)

check   the full check of one large database: the census, sha256sum, and PRAGMA integrity_check
        by better-sqlite3 and by the sqlite3 shell, in turn; memory of all processes
  --rows N           rows of its largest table          (3000000, which is 560 MB)
  --rounds N         how often each is measured         (3)
  --workers N        children that count                (2)

all
  --seconds N        nothing new is begun after this    (900)
  --dir DIR          where the temporary folder is made (TMPDIR)
  --json             one JSON document on stdout instead of the text
  --help`

const options = {
  sizes: { type: 'string', default: '100MB,500MB,1GB' },
  kinds: { type: 'string', default: pauseKinds.join(',') },
  holds: { type: 'string', default: '40' },
  tps: { type: 'string', default: '100' },
  'no-rivals': { type: 'boolean', default: false },
  tenants: { type: 'string', default: '1000' },
  bytes: { type: 'string', default: '1MB' },
  rounds: { type: 'string', default: '3' },
  program: { type: 'string', default: resolve(import.meta.dirname, '../../bin/holdfast.js') },
  'only-sweep': { type: 'boolean', default: false },
  arg: { type: 'string', multiple: true, default: [] },
  rows: { type: 'string', default: '3000000' },
  workers: { type: 'string', default: '2' },
  seconds: { type: 'string', default: '900' },
  dir: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsConfig['options']

process.exitCode = await run()

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [what] = positionals
  if (values.help) return say(help)
  if ((what !== 'pause' && what !== 'sweep' && what !== 'check') || positionals.length > 1) {
    process.stderr.write(`${help}\n`)
    return 64
  }
  const seconds = whole(values.seconds, 'seconds')
  return withWorkplace(
    { parent: values.dir ?? null, seconds, tell: (line) => void process.stderr.write(`${line}\n`) },
    async (workplace) => {
      const { figures, text } = await { pause, sweep, check }[what](values, workplace)
      return say(values.json ? JSON.stringify(figures, null, 2) : text)
    },
  )
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']
interface Outcome {
  readonly figures: object
  readonly text: string
}

async function pause(values: Values, workplace: Workplace): Promise<Outcome> {
  const figures = await measurePauses(workplace, {
    sizes: values.sizes.split(',').map(parseBytes),
    kinds: kindsOf(values.kinds),
    holds: whole(values.holds, 'holds'),
    perSecond: whole(values.tps, 'tps'),
    rivals: !values['no-rivals'],
  })
  return { figures, text: describePauses(figures) }
}

async function sweep(values: Values, workplace: Workplace): Promise<Outcome> {
  const figures = await measureSweep(workplace, {
    tenants: whole(values.tenants, 'tenants'),
    bytes: parseBytes(values.bytes),
    rounds: whole(values.rounds, 'rounds'),
    program: resolve(values.program),
    onlySweep: values['only-sweep'],
    args: values.arg,
  })
  return { figures, text: describeSweep(figures) }
}

async function check(values: Values, workplace: Workplace): Promise<Outcome> {
  const figures = await measureChecks(workplace, {
    rows: whole(values.rows, 'rows'),
    rounds: whole(values.rounds, 'rounds'),
    workers: whole(values.workers, 'workers'),
  })
  return { figures, text: describeChecks(figures) }
}

function kindsOf(list: string): readonly PauseKind[] {
  return list.split(',').map((name) => {
    const kind = pauseKinds.find((kind) => kind === name)
    if (!kind) throw new TypeError(`--kinds: ${JSON.stringify(name)} is none of ${pauseKinds.join(', ')}`)
    return kind
  })
}

function whole(text: string, name: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new TypeError(`--${name} must be a whole number of at least 1, not ${JSON.stringify(text)}`)
  return number
}

function say(text: string): number {
  process.stdout.write(`${text}\n`)
  return 0
}
