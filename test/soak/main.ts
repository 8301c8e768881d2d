/**
 * `npm run soak -- copies [N]`: N warm copies (1000) of a tenant that a busy service writes to.
 * `npm run soak -- live [N] [MINUTES]`: N pinned snapshots (1000) beside programs that write, checkpoint and are
 * killed; then holdfast itself is killed and frozen. It begins nothing new after so many minutes (20). HOLDFAST_SEED as
 * below.
 * `npm run soak -- remedies [N]`: N kills (100) of `repair --apply` and as many of `restore --apply`, while the tenant
 * works. HOLDFAST_SEED repeats the moments of a run.
 * `npm run soak -- ledger [TENANTS] [NIGHTS] [--whole]`: a ledger of so many tenants (100,000) and nights (365), its
 * size, and what `status` and `history` cost on it. `--whole` writes all lines of all nights, which takes hours.
 * `npm run soak -- sweep [TENANTS]`: a sweep of so many tenants (10,000) is killed in the middle, and goes on.
 * `npm run soak -- pause [SECONDS]`: a storm of so many seconds (120) against the limit on paused tenants of a fleet.
 * HOLDFAST_SEED as above.
 * `npm run soak -- matrix [STEP]`: every wound in every layout is repaired, restored and salvaged; with a STEP, one in
 * so many. Takes about two hours.
 * `npm run soak -- fleet [HOSTS] [TENANTS]`: a sweep of so many simulated hosts (1,000) and tenants (1,000,000) on a
 * real PostgreSQL, after one of a tenth of them. Takes about a quarter of an hour.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomFrom } from '../support/random.ts'
import { killedCommands, killRemedies } from '../support/remedies/kills.ts'
import { killSweep } from './killed-sweep.ts'
import { soakFleet } from './large-fleet.ts'
import { costOf, makeLargeLedger } from './large-ledger.ts'
import { soakLive } from './live.ts'
import { runMatrix } from './matrix.ts'
import { soakPauses } from './pause-storm.ts'
import { makeWarmCopies } from './warm-copies.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** While one tenant is paused, others are prepared, hashed and checked: so many may be in flight. */
const inFlightMax = 12

/** What is promised (src/ledger/README.md): of a ledger of whatever nights, and of 100,000 tenants. */
const bytesOfTenantMax = 20_000
const readingLimits = { processorMs: 1000, memory: 150e6 }
/** A document lists all files. */
const documentLimits = { processorMs: 10_000, memory: 200e6 }

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0)

const [what = 'copies', number, second, option] = process.argv.slice(2)
if (what === 'copies') process.exitCode = (await makeWarmCopies(count(1000), say)) ? 0 : 1
else if (what === 'live') process.exitCode = await soakPins(count(1000), Number(second ?? 20))
else if (what === 'remedies') process.exitCode = (await soakRemedies(count(100))) ? 0 : 1
else if (what === 'ledger') process.exitCode = (await soakLedger(count(100_000), Number(second ?? 365))) ? 0 : 1
else if (what === 'sweep') process.exitCode = (await soakSweep(count(10_000))) ? 0 : 1
else if (what === 'pause') process.exitCode = (await soakPauses(count(120), announcedSeed(), say)) ? 0 : 1
else if (what === 'matrix') process.exitCode = (await runMatrix(count(1), say)) ? 0 : 1
else if (what === 'fleet') process.exitCode = (await soakFleet(count(1000), Number(second ?? 1_000_000), say)) ? 0 : 1
else throw new Error('usage: npm run soak -- copies|live|remedies|ledger|sweep|pause|matrix|fleet [N]')

function count(usual: number): number {
  const total = Number(number ?? usual)
  if (!Number.isInteger(total) || total < 1) throw new Error('N must be a whole number above 0')
  return total
}

function announcedSeed(): number {
  const seed = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1e9)
  say(`HOLDFAST_SEED=${seed}`)
  return seed
}

function soakPins(total: number, minutes: number): Promise<0 | 1 | 3> {
  return soakLive({ total, minutes, seed: announcedSeed(), say })
}

async function soakRemedies(kills: number): Promise<boolean> {
  const seed = announcedSeed()
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

async function soakLedger(tenants: number, nights: number): Promise<boolean> {
  const home = mkdtempSync(join(tmpdir(), 'soak-ledger-'))
  try {
    const ledger = makeLargeLedger(home, { tenants, nights, shortened: option !== '--whole' }, say)
    const { size } = statSync(join(home, 'ledger/ledger.db'))
    say(`the ledger has ${megabytes(size)} MB: ${Math.round(size / tenants)} bytes for each tenant`)
    let isWithin = size / tenants <= bytesOfTenantMax
    const formats = ['text', 'nagios', 'monit', 'prometheus', 'json'].map((format) => ['status', '--format', format])
    for (const args of [...formats, ['history', 'tenant-7'], ['history']]) {
      const costs = [await costOf(ledger, ...args), await costOf(ledger, ...args), await costOf(ledger, ...args)]
      const least = costs.reduce((one, other) => (other.processorMs < one.processorMs ? other : one))
      const { ms, processorMs, memory, largest, code, letters } = least
      say(
        `${args.join(' ')}: ${Math.round(ms)} ms, ${processorMs} ms of processor time, ${megabytes(memory)} MB ` +
          `(largest process ${megabytes(largest)} MB), code ${code}, ${letters} letters, ` +
          `load ${loadavg()[0]?.toFixed(1)}`,
      )
      const limits = args.includes('json') ? documentLimits : readingLimits
      isWithin &&= memory <= limits.memory && processorMs <= limits.processorMs
    }
    return isWithin
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

async function soakSweep(tenants: number): Promise<boolean> {
  const home = mkdtempSync(join(tmpdir(), 'soak-sweep-'))
  try {
    const { holds, repeated, report, code, rate, memory } = await killSweep(home, tenants, say)
    const { selected, notDue = 0, sound } = report.summary
    const [first, last] = memory.map(megabytes)
    say(`${holds.join(' + ')} holds, ${repeated} repeated; ${selected} selected, ${sound} sound, ${notDue} not due`)
    say(`code ${code}, ${rate.toFixed(1)} tenants a second, ${first} MB in the beginning, ${last} MB at the end`)
    return code === 0 && selected + notDue === tenants && repeated <= inFlightMax
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
