/**
 * `npm run soak -- copies [N]`: N warm copies (1000) of a tenant that a busy service writes to.
 * `npm run soak -- remedies [N]`: N kills (100) of `repair --apply` and as many of `restore --apply`, while the tenant
 * works. HOLDFAST_SEED repeats the moments of a run.
 * `npm run soak -- ledger [TENANTS] [NIGHTS]`: a ledger of so many tenants (100,000) and nights (12), its size, and
 * what `status` costs on it.
 * `npm run soak -- sweep [TENANTS]`: a sweep of so many tenants (10,000) is killed in the middle, and goes on.
 * `npm run soak -- matrix [STEP]`: every wound in every layout is repaired, restored and salvaged; with a STEP, one in
 * so many. Takes about two hours.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomFrom } from '../support/random.ts'
import { killedCommands, killRemedies } from '../support/remedies/kills.ts'
import { killSweep } from './killed-sweep.ts'
import { costOfStatus, makeLargeLedger } from './large-ledger.ts'
import { runMatrix } from './matrix.ts'
import { makeWarmCopies } from './warm-copies.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** While one tenant is paused, others are prepared, hashed and checked: so many may be in flight. */
const inFlightMax = 12

const [what = 'copies', number, second] = process.argv.slice(2)
if (what === 'copies') process.exitCode = (await makeWarmCopies(count(1000), say)) ? 0 : 1
else if (what === 'remedies') process.exitCode = (await soakRemedies(count(100))) ? 0 : 1
else if (what === 'ledger') await soakLedger(count(100_000), Number(second ?? 12))
else if (what === 'sweep') process.exitCode = (await soakSweep(count(10_000))) ? 0 : 1
else if (what === 'matrix') process.exitCode = (await runMatrix(count(1), say)) ? 0 : 1
else throw new Error('usage: npm run soak -- copies|remedies|ledger|sweep|matrix [N]')

function count(usual: number): number {
  const total = Number(number ?? usual)
  if (!Number.isInteger(total) || total < 1) throw new Error('N must be a whole number above 0')
  return total
}

async function soakRemedies(kills: number): Promise<boolean> {
  const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1e9)
  say(`HOLDFAST_SEED=${seed}`)
  let complaints = 0
  for (const command of Object.keys(killedCommands) as (keyof typeof killedCommands)[]) {
    const random = randomFrom(seed)
    const { met, old, new: mended, complaints: of } = await killRemedies({ command, kills, random, report: say })
    complaints += of.length
    say(`${command}: ${kills} kills, ${met} in a pause; ${old} tenants were old afterwards, ${mended} new`)
    for (const line of of) say(`  WRONG: ${line}`)
  }
  return complaints === 0
}

async function soakLedger(tenants: number, nights: number): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'soak-ledger-'))
  try {
    const ledger = makeLargeLedger(home, { tenants, nights }, say)
    const { size } = statSync(join(home, 'ledger/ledger.db'))
    say(`the ledger has ${(size / 1e6).toFixed(0)} MB: ${Math.round(size / tenants)} bytes for each tenant`)
    for (const args of [[], ['--format', 'monit'], ['--format', 'prometheus'], ['--json']])
      for (let time = 0; time < 3; time++) {
        const { ms, memory, code, text } = await costOfStatus(ledger, ...args)
        const megabytes = (memory / 1e6).toFixed(0)
        const shown = args.length === 0 ? 'text' : args.join(' ')
        say(`status ${shown}: ${Math.round(ms)} ms, ${megabytes} MB, code ${code}, ${text.length} letters`)
      }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

async function soakSweep(tenants: number): Promise<boolean> {
  const home = mkdtempSync(join(tmpdir(), 'soak-sweep-'))
  try {
    const { holds, repeated, report, code, rate, memory } = await killSweep(home, tenants, say)
    const { selected, notDue = 0, sound } = report.summary
    const [first, last] = memory.map((bytes) => (bytes / 1e6).toFixed(0))
    say(`${holds.join(' + ')} holds, ${repeated} repeated; ${selected} selected, ${sound} sound, ${notDue} not due`)
    say(`code ${code}, ${rate.toFixed(1)} tenants a second, ${first} MB in the beginning, ${last} MB at the end`)
    return code === 0 && selected + notDue === tenants && repeated <= inFlightMax
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
