/**
 * `npm run fuzz -- hostile|differential|corpus|accounting`: tests the readers of hostile files with random ones. All
 * inputs follow from a seed, which is printed. If an input has a wrong outcome, the program prints how to repeat it and
 * ends with exit code 1.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fuzzAccounting } from './accounting.ts'
import { fuzzCorpus } from './corpus.ts'
import { fuzzDifferential } from './differential.ts'
import { fuzzHostile } from './hostile.ts'

const help = `npm run fuzz -- hostile|differential|corpus|accounting [options]

hostile       reads mutated, spliced and invented files in memory with all decoders and the census,
              in one process whose time and memory are watched
  --inputs N      number of files                       (100000)

differential  compares the census with SQLite's full check on generated databases, healthy and wounded:
              a healthy one must be sound, no wound may be missed, and the rows must be exact
  --inputs N      number of databases of each kind      (2000)

corpus        checks SQLite's own fuzz corpus, from Debian's source package of sqlite3 (apt-get), with
              the confined checker and with PRAGMA integrity_check in a child process
  --every N       checks only every nth database        (1)
  --archive FILE  a source package that you have        (sqlite3_*.orig.tar.xz)

accounting    compares the page accounting with SQLite on damaged files
  --inputs N      number of files                       (2000)

all
  --seed N        begins with this seed                 (random; printed)
  --dir DIR       where to make the temporary folder    (TMPDIR)
  --help          prints this help`

const options = {
  inputs: { type: 'string' },
  every: { type: 'string', default: '1' },
  archive: { type: 'string' },
  seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
  dir: { type: 'string', default: tmpdir() },
  help: { type: 'boolean', default: false },
} as const

process.exitCode = await run()

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [what] = positionals
  if (values.help || positionals.length !== 1) {
    ;(values.help ? process.stdout : process.stderr).write(`${help}\n`)
    return values.help ? 0 : 64
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  const inputs = (otherwise: number): number => whole(values.inputs ?? String(otherwise), 'inputs')
  const seed = whole(values.seed, 'seed')
  const folder = mkdtempSync(join(values.dir, 'holdfast-fuzz-'))
  if (what !== 'corpus') say(`seed ${seed}`)
  try {
    switch (what) {
      case 'hostile':
        return (await fuzzHostile(inputs(100_000), seed, say)) ? 0 : 1
      case 'differential':
        return (await fuzzDifferential(folder, inputs(2000), seed, say)) ? 0 : 1
      case 'corpus':
        return (await fuzzCorpus(folder, { every: whole(values.every, 'every'), archive: values.archive ?? null }, say))
          ? 0
          : 1
      case 'accounting':
        return fuzzAccounting(folder, inputs(2000), seed, say) ? 0 : 1
      default:
        process.stderr.write(`${help}\n`)
        return 64
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function whole(text: string, name: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < (name === 'seed' ? 0 : 1))
    throw new TypeError(`--${name} must be a whole number, not ${JSON.stringify(text)}`)
  return number
}
