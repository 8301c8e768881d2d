/**
 * `npm run demo`: sweeps twelve tenants of a service while it works. One has a damaged index, one a damaged table, and
 * a rogue process maps a third. Then holdfast rebuilds the index, and restores the table from a backup together with
 * the rows that are newer. Each step states what it shows. If one is not as promised, the exit code is 1. The demo
 * removes everything at its end; with `--keep` the page of the sweep stays, and the demo says where it is.
 *
 * `npm run demo -- fleet` shows a fleet instead (fleet/fleet-demo.ts).
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isUtf8 } from '../../src/cli/terminal/terminal-features.ts'
import { showAsciiOnly } from '../../src/text/letters.ts'
import { colors, expect, hasNotEnded, say } from './narrator.ts'
import { askSqlite, readNotes, writeNotes } from './notes-user.ts'
import { newestAccount, showAccount } from './show-account.ts'
import {
  accountsIn,
  fingerprints,
  runHoldfast,
  startDemoProgram,
  writeConfiguration,
  type DemoProgram,
  type HoldfastRun,
} from './steps.ts'
import { makeTenants, woundTenants, type DemoTenants } from './tenants.ts'
import { isWhole, verifyTenants } from './verify.ts'

const bytesPerTenant = 2_000_000
const transfersPerSecond = 100
/** Notes of the tenant with the damaged table that are newer than its backup. */
const newerNotes = 200

showAsciiOnly(!isUtf8(process.env))

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interrupted.abort(new Error(`ended by ${signal}`)))

try {
  if (process.argv.includes('fleet')) await (await import('./fleet/fleet-demo.ts')).runFleetDemo(interrupted.signal)
  else await runDemo(interrupted.signal)
} catch (error) {
  if (!interrupted.signal.aborted) throw error
  say('interrupted; everything was stopped and removed')
  process.exitCode = 130
}

/** What each step of the demo works with. */
interface Demo {
  /** Of the databases. */
  readonly dir: string
  readonly config: string
  /** The page of the sweep. */
  readonly page: string
  /** With the accounts of remedies. */
  readonly accounts: string
  readonly tenants: DemoTenants
  /** The notes of the two damaged tenants, read before the damage. */
  readonly notes: ReadonlyMap<string, ReadonlyMap<number, string>>
  readonly service: DemoProgram
  readonly rogue: DemoProgram
  readonly signal: AbortSignal
}

async function runDemo(signal: AbortSignal): Promise<void> {
  await using cleanup = new AsyncDisposableStack()
  const demo = await prepare(cleanup, signal)
  signal.throwIfAborted()
  await showSweep(demo)
  await showReports(demo)
  await showRepair(demo)
  await showRestore(demo)
  await showThatNoWriteIsLost(demo)
  const kept = showPage(demo)
  await cleanup.disposeAsync()
  expect(
    !hasNotEnded(demo.service.pid) && !hasNotEnded(demo.rogue.pid),
    'the service and the rogue process have ended, and the folder is removed',
  )
  if (process.exitCode === 1) say(' was not as promised, see above', 'something', colors.red)
  else say('done: holdfast checked the service while it worked, and did no harm')
  if (kept === null) say('`npm run demo -- --keep` keeps the page of the sweep')
  else say(`the page of the sweep is ${kept}: open it in a browser`)
}

async function prepare(cleanup: AsyncDisposableStack, signal: AbortSignal): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-demo-'))
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }))
  const dir = join(folder, 'tenants')
  for (const name of ['snapshots', 'ledger']) mkdirSync(join(folder, name), { mode: 0o700 })
  const tenants = makeTenants(dir, bytesPerTenant)
  const { busy, damagedIndex, damagedTable } = tenants
  const socket = join(folder, 'admin.sock')
  const config = writeConfiguration(folder, socket, dir)
  const startService = async (loaded: readonly string[]): Promise<DemoProgram> => {
    const load = ['--load', String(transfersPerSecond), '--loaded', loaded.join()]
    const service = cleanup.use(await startDemoProgram('service.ts', ['--dir', dir, '--socket', socket, ...load]))
    say(
      `started the notes service (pid ${service.pid}); it makes ` +
        `${transfersPerSecond} transfers a second for ${loaded.join(', ')}`,
    )
    return service
  }
  say(`made ${tenants.all.length} tenants; all are whole`)
  const first = await startService([damagedTable])
  await backUp(config, damagedTable, signal)
  await writeNotes(Number(first.ready['port']), damagedTable, newerNotes, signal)
  await first.stop()
  const notes = new Map([damagedIndex, damagedTable].map((id) => [id, readNotes(dir, id)]))
  woundTenants(dir, tenants)
  say(
    `stopped the service; then index notes_title of ${damagedIndex} was damaged, and table notes of ${damagedTable} ` +
      `lost a page; ${newerNotes} notes of ${damagedTable} are newer than its backup`,
  )
  const service = await startService(busy)
  const rogue = cleanup.use(await startDemoProgram('rogue.ts', [join(dir, `${tenants.rogue}.db`)]))
  say(
    `started a rogue process (pid ${rogue.pid}); it has mapped the file of ${tenants.rogue} for writing and closed ` +
      'the descriptor',
  )
  return {
    dir,
    config,
    page: join(folder, 'sweep.html'),
    accounts: accountsIn(folder),
    tenants,
    notes,
    service,
    rogue,
    signal,
  }
}

async function backUp(config: string, tenant: string, signal: AbortSignal): Promise<void> {
  say(`holdfast backups add ${tenant}, while the service works:`)
  const { code } = await runHoldfast(['backups', 'add', tenant, '--config', config], 'shown', signal)
  signal.throwIfAborted()
  expect(code === 0, `the snapshot of ${tenant} was checked, found sound and kept as a verified backup`)
}

async function showSweep({ dir, config, page, tenants: { idle }, signal }: Demo): Promise<void> {
  const before = fingerprints(dir, idle)
  say('holdfast sweep --html, while the service works:')
  const sweep = await runHoldfast(['sweep', '--html', page, '--config', config], 'shown', signal)
  signal.throwIfAborted()
  expect(sweep.code === 2, `exit code 2 means that damage was found, and it is ${sweep.code}`)
  expect(
    same(before, fingerprints(dir, idle)),
    `SHA-256 and mtime of the ${idle.length} databases that the service does not write are the same before and after`,
  )
}

async function showReports({ config, tenants, signal }: Demo): Promise<void> {
  const reportOf = async (tenant: string): Promise<Result> =>
    readResult(await runHoldfast(['check', '--tenant', tenant, '--config', config, '--json'], 'returned', signal))
  const says = (tenant: string, text: string | undefined): string => `the JSON report of ${tenant} says: ${text ?? '-'}`
  const index = await reportOf(tenants.damagedIndex)
  expect(index.damage === 'index', says(tenants.damagedIndex, index.findings[0]?.text))
  const table = await reportOf(tenants.damagedTable)
  expect(table.damage === 'table', says(tenants.damagedTable, table.findings[0]?.text))
  const refused = await reportOf(tenants.rogue)
  expect(
    refused.failure?.code === 'IN_USE' && refused.verdict === 'inconclusive',
    says(tenants.rogue, refused.failure?.message ?? refused.verdict),
  )
  signal.throwIfAborted()
}

/** Plan, then change: the service works all the time. */
async function showRepair({ config, accounts, tenants: { damagedIndex }, signal }: Demo): Promise<void> {
  const repair = ['repair', '--tenant', damagedIndex, '--config', config]
  say('holdfast repair, which plans, tries it on a copy, and changes nothing:')
  const planned = await runHoldfast(repair, 'shown', signal)
  signal.throwIfAborted()
  expect(planned.code === 0, `the rebuild of index notes_title was rehearsed on a copy, and the copy is sound`)
  say('holdfast repair --apply:')
  const applied = await runHoldfast([...repair, '--apply'], 'shown', signal)
  signal.throwIfAborted()
  expect(applied.code === 0, `${damagedIndex} was changed in a pause, serves again, and was found sound afterwards`)
  showAccount(newestAccount(accounts), say)
}

async function showRestore({ config, accounts, tenants: { damagedTable }, signal }: Demo): Promise<void> {
  const restore = ['restore', '--tenant', damagedTable, '--merge-newer', '--config', config]
  say('holdfast restore --merge-newer, which plans, tries it on a copy, and changes nothing:')
  const planned = await runHoldfast(restore, 'shown', signal)
  signal.throwIfAborted()
  expect(planned.code === 0, 'the backup was restored on a copy with the newer rows, and the copy is sound')
  say('holdfast restore --merge-newer --apply:')
  const applied = await runHoldfast([...restore, '--apply'], 'shown', signal)
  signal.throwIfAborted()
  expect(applied.code === 0, `${damagedTable} was restored in a pause, serves again, and was found sound afterwards`)
  showAccount(newestAccount(accounts), say)
}

async function showThatNoWriteIsLost({ dir, tenants, notes, service, rogue }: Demo): Promise<void> {
  await service.stop()
  await rogue.stop()
  const verified = verifyTenants(dir, tenants.busy)
  const acknowledged = verified.reduce((sum, one) => sum + one.acknowledged, 0)
  expect(
    verified.length === tenants.busy.length && verified.every(isWhole) && acknowledged > 0,
    `the service acknowledged ${acknowledged} transfers for ${verified.length} tenants: none is missing, and all ` +
      'balances add up',
  )
  for (const [tenant, before] of notes) {
    const after = readNotes(dir, tenant)
    const missing = [...before].filter(([id, digest]) => after.get(id) !== digest).length
    expect(
      missing === 0 && after.size === before.size && askSqlite(dir, tenant) === 'ok',
      `${tenant} has all of its ${before.size} notes again, each with its id and text as before the damage, and ` +
        "SQLite's own check of it says ok",
    )
  }
}

/** @returns where the page stays; null if it goes with everything else */
function showPage({ page, tenants: { damagedIndex, damagedTable } }: Demo): string | null {
  const text = readFileSync(page, 'utf8')
  expect(
    [damagedIndex, damagedTable].every((tenant) => text.includes(`--tenant ${tenant}`)),
    'the page of the sweep has the command that mends each damaged tenant',
  )
  if (!process.argv.includes('--keep')) return null
  const kept = join(mkdtempSync(join(tmpdir(), 'holdfast-demo-page-')), 'sweep.html')
  copyFileSync(page, kept)
  return kept
}

interface Result {
  readonly verdict: string
  readonly damage: string
  readonly findings: readonly { readonly text: string }[]
  readonly failure?: { readonly code: string; readonly message: string }
}

function readResult(ran: HoldfastRun): Result {
  const { results } = JSON.parse(ran.stdout) as { results: readonly Result[] }
  if (!results[0]) throw new Error(`holdfast gave no result (exit code ${ran.code})`)
  return results[0]
}

function same(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): boolean {
  return before.size === after.size && [...before].every(([id, print]) => after.get(id) === print)
}
