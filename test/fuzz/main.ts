/**
 * The reader of hostile files against hostile files: `npm run fuzz -- hostile|differential|corpus|accounting`. Whatever
 * it makes follows from a seed, which it prints; what it finds ends the run with exit code 1, and with what is needed
 * to see it again.
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

hostile       mutated, spliced and made-up files in memory through all decoders and the census,
              in one process whose time and memory are watched
  --inputs N      how many                              (100000)

differential  generated databases, healthy and wounded in every way, before the census and before
              SQLite's full check: sound where healthy, never weaker where wounded, the exact rows
  --inputs N      how many of each kind                 (2000)

corpus        SQLite's own fuzz corpus, out of Debian's source package of sqlite3 (apt-get), through
              the confined checker and through PRAGMA integrity_check in a child of its own
  --every N       only every so many                    (1)
  --archive FILE  a source package that is already here (sqlite3_*.orig.tar.xz)

accounting    damaged files before the page accounting, and before SQLite
  --inputs N      how many                              (2000)

all
  --seed N        begins with this seed                 (drawn at random; printed)
  --dir DIR       where the temporary folder is made    (TMPDIR)
  --help`

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
