/**
 * `npm run demo`: a dozen tenants of a live service are swept while it works: one with a damaged index, one with a damaged table, one that
 * a rogue process keeps mapped. Each step says what it shows; what is not as promised ends with exit code 1. Nothing is
 * left behind.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createColors } from 'picocolors'
import { hasColors, isUtf8, widthOf } from '../../src/cli/terminal/surroundings.ts'
import { hanging } from '../../src/text/layout.ts'
import { showAsciiOnly } from '../../src/text/letters.ts'
import { fingerprints, holdfast, start, writeConfiguration, type Ran } from './steps.ts'
import { prepareTenants } from './tenants.ts'
import { isWhole, verifyTenants } from './verify.ts'

const bytesPerTenant = 2_000_000
const transfersPerSecond = 100

const colors = createColors(hasColors(process.stdout, process.env))
showAsciiOnly(!isUtf8(process.env))

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interrupted.abort(new Error(`ended by ${signal}`)))

try {
  await demo(interrupted.signal)
} catch (error) {
  if (!interrupted.signal.aborted) throw error
  say(`interrupted; everything was stopped and removed`)
  process.exitCode = 130
}

async function demo(signal: AbortSignal): Promise<void> {
  await using cleanup = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-demo-'))
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }))
  const dir = join(folder, 'tenants')
  for (const name of ['snapshots', 'ledger']) mkdirSync(join(folder, name), { mode: 0o700 })

  const tenants = prepareTenants(dir, bytesPerTenant)
  say(
    `prepared ${tenants.all.length} tenants; ${tenants.damagedIndex} has a damaged ` +
      `index, ${tenants.damagedTable} has lost a page of a table`,
  )

  const socket = join(folder, 'admin.sock')
  const service = cleanup.use(
    await start('service.ts', [
      '--dir',
      dir,
      '--socket',
      socket,
      '--load',
      String(transfersPerSecond),
      '--loaded',
      tenants.busy.join(),
    ]),
  )
  say(
    `started the notes service (pid ${service.pid}); it makes ` +
      `${transfersPerSecond} transfers a second for ${tenants.busy.join(', ')}`,
  )
  const rogue = cleanup.use(await start('rogue.ts', [join(dir, `${tenants.rogue}.db`)]))
  say(`started a rogue (pid ${rogue.pid}); it has mapped ${tenants.rogue} for writing and closed its descriptor`)
  signal.throwIfAborted()

  const before = fingerprints(dir, tenants.idle)
  const config = writeConfiguration(folder, socket, dir)
  say(`holdfast sweep, while the service works:`)
  const sweep = await holdfast(['sweep', '--config', config], 'shown', signal)
  signal.throwIfAborted()
  expect(sweep.code === 2, `it found damage and says so: exit code ${sweep.code}`)

  expect(
    same(before, fingerprints(dir, tenants.idle)),
    `no byte and no time of change of the ${tenants.idle.length} idle ` +
      'databases is different (sha256 and mtime, before and after)',
  )

  const index = readResult(
    await holdfast(['check', '--tenant', tenants.damagedIndex, '--config', config, '--json'], 'kept', signal),
  )
  expect(
    index.damage === 'index',
    `of ${tenants.damagedIndex} the JSON report says: ${index.findings[0]?.text ?? 'nothing'}`,
  )
  const table = readResult(
    await holdfast(['check', '--tenant', tenants.damagedTable, '--config', config, '--json'], 'kept', signal),
  )
  expect(table.damage === 'table', `of ${tenants.damagedTable} it says: ${table.findings[0]?.text ?? 'nothing'}`)
  const refused = readResult(
    await holdfast(['check', '--tenant', tenants.rogue, '--config', config, '--json'], 'kept', signal),
  )
  expect(
    refused.failure?.code === 'IN_USE' && refused.verdict === 'inconclusive',
    `of ${tenants.rogue} it says: ${refused.failure?.message ?? refused.verdict}`,
  )
  signal.throwIfAborted()

  await service.stop()
  await rogue.stop()
  const verified = verifyTenants(dir, tenants.busy)
  const acknowledged = verified.reduce((sum, one) => sum + one.acknowledged, 0)
  expect(
    verified.every(isWhole) && acknowledged > 0,
    `the service acknowledged ${acknowledged} transfers meanwhile: every one is there, and all balances add up`,
  )

  await cleanup.disposeAsync()
  expect(!isRunning(service.pid) && !isRunning(rogue.pid), 'service and rogue are stopped, the folder is removed')
  if (process.exitCode === 1) say(' was not as promised, see above', 'something', colors.red)
  else say('that is all: checked while it worked, and nobody was harmed')
}

interface Result {
  readonly verdict: string
  readonly damage: string
  readonly findings: readonly { readonly text: string }[]
  readonly failure?: { readonly code: string; readonly message: string }
}

function readResult(ran: Ran): Result {
  const { results } = JSON.parse(ran.stdout) as { results: readonly Result[] }
  if (!results[0]) throw new Error(`holdfast gave no result (exit code ${ran.code})`)
  return results[0]
}

function same(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): boolean {
  return before.size === after.size && [...before].every(([id, print]) => after.get(id) === print)
}

/** A zombie that nobody has waited for counts as ended. */
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

/** @param word at the beginning of the text that is painted */
function say(text: string, word = '', paint: (word: string) => string = colors.bold): void {
  const [first = '', ...more] = hanging(`demo: ${word}${text}`, widthOf(process.stdout, process.env))
  const painted = first.startsWith(`demo: ${word}`)
    ? `${colors.bold('demo:')} ${paint(word)}${first.slice('demo: '.length + word.length)}`
    : first
  process.stdout.write([painted, ...more].map((line) => `${line}\n`).join(''))
}

function expect(holds: boolean, text: string): void {
  if (!holds) process.exitCode = 1
  if (holds) say(`: ${text}`, 'as promised', colors.green)
  else say(`: ${text}`, 'NOT AS PROMISED', colors.red)
}
