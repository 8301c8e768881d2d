/** Options that several commands share, and the values that they take. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { durationMs } from '../config/units.ts'
import { engines, type CheckDepth } from '../model/result/reading.ts'
import { logLevels, type LogLevel } from './log/log.ts'

export interface CommonOptions {
  readonly config?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly logLevel: LogLevel
}

/** The absolute path of the configuration that the command line names; null where it names none. */
export const configurationPath = ({ config }: Pick<CommonOptions, 'config'>): string | null =>
  config === undefined ? null : resolve(config)

/** Of the commands that print a report. */
export interface ReportOptions extends CommonOptions {
  readonly redactKeys?: boolean
}

/** @param document schema of what `--json` prints */
export function withCommon(command: Command, document: string): Command {
  return command
    .option('--config <file>', 'configuration (default: holdfast.yaml, then /etc/holdfast/holdfast.yaml)')
    .option('--json', `print one JSON document (${document}) on stdout`)
    .option('--quiet', 'show no progress, and print nothing if all is well')
    .option('--verbose', 'show every result and how it was proven')
    .addOption(
      new Option(
        '--log-level <level>',
        'log steps and results to stderr: lines of JSON, or lines for a person on a terminal',
      )
        .choices(logLevels)
        .default('silent'),
    )
}

export const withReport = (command: Command, document = 'holdfast.report/1'): Command =>
  withCommon(command, document).option('--redact-keys', 'print digests instead of the keys of rows')

/** Of the runs that can write their page. */
export interface PageOptions {
  /** The file of the page. */
  readonly html?: string
}

export const htmlOption = (): Option =>
  new Option('--html <file>', 'also write the report to this file, as one page for a browser').argParser(namedFile)

/** A word that names a file. */
export function namedFile(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must name a file.')
  return text
}

export const depthOption = (): Option =>
  new Option('--depth <depth>', 'quick: structure only; full: every index against its table')
    .choices(['quick', 'full'])
    .default('full')

/** A depth, and at depth `sample` how large a part of the pages is read. */
export interface WantedDepth {
  readonly depth: CheckDepth
  readonly sampleShare: number | null
}

/** For commands that check night after night: a sample reads another part each time. */
export const sampledDepthOption = (): Option =>
  new Option(
    '--depth <depth>',
    'quick: structure only; full: every index against its table; sample=10%: the next tenth of the pages, never sound',
  )
    .argParser(wantedDepth)
    .default({ depth: 'full', sampleShare: null } satisfies WantedDepth, 'full')

function wantedDepth(text: string): WantedDepth {
  if (text === 'quick' || text === 'full') return { depth: text, sampleShare: null }
  const percent = Number(/^sample=(\d{1,3}(?:\.\d{1,4})?)%$/.exec(text)?.[1] ?? Number.NaN)
  if (!(percent > 0 && percent <= 100))
    throw new InvalidArgumentError('It must be quick, full, or a sample such as sample=10%.')
  return { depth: 'sample', sampleShare: percent / 100 }
}

export const engineOption = (): Option =>
  new Option(
    '--engine <engine>',
    "census: compare all rows with all index entries, and run SQLite's quick check; sqlite: SQLite's integrity check",
  )
    .choices(engines)
    .default('census')

/** @param checked what is checked in parallel: `files` or `snapshots` */
export const workersOption = (checked: 'files' | 'snapshots'): Option =>
  new Option(
    '--workers <n>',
    `${checked} to check in parallel (default: check.workers of the configuration, or one for each processor: ` +
      `${availableParallelism()} here)`,
  ).argParser(positiveNumber)

/** A whole number of at least 1. */
export function positiveNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be a whole number of at least 1.')
  return number
}

/** `30s`, `5m`, … in ms. A duration of 0 is refused: no work ends in no time. */
export function durationOption(text: string): number {
  const ms = durationMs(text)
  if (ms === undefined || ms === 0)
    throw new InvalidArgumentError('It must be a duration such as 30s, 5m or 2h, longer than 0.')
  return ms
}

export const onlyOption = (): Option =>
  new Option('--only <glob...>', 'only tenants whose id matches one of these patterns')

/** How patterns are written, for the help of each command with `--only`. */
export const patternHelp = `A <glob> is a pattern. * matches any text, also with / or a leading dot.
? matches one character, [a-c] one of these, [!a-c] any other, and {a,b} either
a or b. A \\ makes the next character literal: 'a\\*' matches the id a*. Quote
each <glob> for the shell. Each must match at least one tenant.`

/** A run joins the open incident without it. */
export const incidentOption = (): Option =>
  new Option('--incident <id>', 'the run belongs to this incident (default: the open one, if there is one)')

/** How long to wait for the run lock. */
export const waitOption = (): Option =>
  new Option(
    '--wait <duration>',
    'wait at most this long for another run to end (default: fail immediately, with 75)',
  ).argParser(durationOption)
