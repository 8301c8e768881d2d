import { Option, type Command } from 'commander'
import { findConfiguration, loadSettings } from '../../config/load.ts'
import { wayOf } from '../../config/service-way.ts'
import { isGone } from '../../fleet/registry.ts'
import { isAtWork, leftBehind } from '../../ledger/at-work.ts'
import { readLedger, type LastResult, type RecordedRun } from '../../ledger/ledger.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { renderStatus, type StatusFormat, type StatusView } from '../../report/status.ts'
import type { Face } from '../face.ts'
import type { Act } from '../main.ts'
import { configurationNamed, duration, withCommon, type CommonOptions } from '../options.ts'

interface StatusOptions extends CommonOptions {
  readonly format: StatusFormat
  readonly maxAge: number
}

export function addStatus(program: Command, face: Face, act: Act): void {
  withCommon(program.command('status').description('what the ledger knows; no tenant is touched'), 'holdfast.status/1; the same as --format json')
    .addOption(new Option('--format <format>').choices(['text', 'json', 'nagios', 'monit', 'prometheus']).default('text'))
    .addOption(new Option('--max-age <duration>', 'checks older than this are stale').argParser(duration).default(duration('26h'), '26h'))
    .addHelpText('after', `
Examples:
  holdfast status
  holdfast status --format nagios --max-age 26h
  holdfast status --format prometheus > /var/lib/node_exporter/holdfast.prom

Exit codes: 0 answered, 1 failed, 64 usage, 70 bug, 78 configuration;
  for nagios and monit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN`)
    .action((options: StatusOptions) => act(() => tellStatus(options, face)))
}

async function tellStatus(options: StatusOptions, face: Face): Promise<ExitCode> {
  const format = options.json ? 'json' : options.format
  const settings = await loadSettings(await findConfiguration(options.config ?? null))
  await using ledger = await readLedger(settings.ledger.dir, wayOf(settings))
  const now = Date.now()
  const view: StatusView = {
    service: settings.service.name, via: settings.service.kind, generatedAt: now, maxAgeMs: options.maxAge,
    tenants: (await ledger.lastResults()).filter((result) => !isGone(result)).map(withTimes),
    openHolds: await Promise.all((await ledger.openHolds()).map(async (hold) => ({ ...hold, leftBehind: !(await isAtWork(settings.ledger.dir, settings.service.name, hold, now)) }))),
    otherHolds: await leftBehind(await ledger.otherHolds(), settings.ledger.dir),
    config: settings.file, configNamed: configurationNamed(options), ledgerLost: ledger.holdsLost,
    lastFullSweepAt: lastFullSweep(await ledger.lastRuns(runsLookedAt)),
  }
  if (ledger.notice !== null) face.say(`holdfast: ${ledger.notice}`)
  const { text, code } = renderStatus(view, { format, width: face.width, color: face.color, verbose: options.verbose ?? false })
  if (!options.quiet || format !== 'text' || code !== 0) await face.out(text)
  return format === 'nagios' || format === 'monit' ? code : exitCodes.sound
}

const withTimes = (result: LastResult): StatusView['tenants'][number] => ({ ...result, checkedAt: result.at })

const runsLookedAt = 1_000

/** The end of the newest sweep of everything, at full depth, that came to all of it. */
function lastFullSweep(runs: readonly RecordedRun[]): number | null {
  const full = runs.find(({ finished }) => finished !== null && finished.whole && finished.selected > 0 && finished.covered === finished.selected)
  return full?.finished?.at ?? null
}
