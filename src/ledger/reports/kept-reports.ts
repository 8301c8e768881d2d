/**
 * The reports of runs, beside the ledger: `reports/RUN.json.zst`. The newest ones are kept. The newest with damage
 * stays as well, however old it is.
 */
import { closeSync, constants, existsSync, lstatSync, openSync, readdirSync, unlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isSystemError, nameOfError, systemFailure } from '../../host/failures/system-failure.ts'
import { replaceFile } from '../../host/files/replace-file.ts'
import { makeFolders } from '../../host/folders/folder.ts'
import { giveToFolderOwner } from '../../host/private-files/folder-owner.ts'
import { ageOf } from '../../model/age.ts'
import { exitCodes } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import type { DamagedPage } from '../../model/result/page-map.ts'
import { inspectFolder } from '../folder.ts'
import { timeOfRunId } from '../run-lock/run-id.ts'
import { readHeading, readReportLines, reportBytes, type ReportHeading } from './report-file.ts'

/** Of each service. */
const reportsMax = 100
const bytesMax = 256 * 1024 * 1024

export interface KeptReport {
  readonly heading: ReportHeading
  readonly path: string
  readonly bytes: number
}

const folderIn = (ledgerDir: string): string => join(ledgerDir, 'reports')
const named = /^([0-9A-HJKMNP-TV-Z]{26})\.json\.zst$/

/**
 * Keeps the report of a run, and deletes the oldest ones of its service that are beyond the limits.
 * @param lines one JSON document; each line without its line feed
 * @throws {Failure} LEDGER_UNUSABLE, NO_SPACE, NO_PERMISSION and others. The old reports are then as they were.
 */
export async function keepReport(ledgerDir: string, heading: ReportHeading, lines: Iterable<string>): Promise<void> {
  await inspectFolder(ledgerDir) // Another user may be able to change it now.
  const folder = folderIn(ledgerDir)
  try {
    const [made] = await makeFolders(folder, 0o700)
    if (made !== undefined) giveAway(folder, ledgerDir)
  } catch (error) {
    throw systemFailure(error, { doing: 'make the folder of the reports', path: folder })
  }
  replaceFile(join(folder, `${heading.run}.json.zst`), reportBytes(heading, lines), 'private')
  rotate(keptReports(ledgerDir, heading.service))
}

/**
 * Keeps the damaged pages of a run beside its report, which was kept before. They go when the report goes.
 * @param lines each page as JSON, without its line feed
 * @throws {Failure} NO_SPACE, NO_PERMISSION and others
 */
export function keepPages(ledgerDir: string, heading: ReportHeading, lines: Iterable<string>): void {
  const bytes = reportBytes({ ...heading, document: 'holdfast.pages/1' }, lines)
  replaceFile(pagesBeside(join(folderIn(ledgerDir), `${heading.run}.json.zst`)), bytes, 'private')
}

/** The damaged pages that were kept with a report. @throws {Failure} REPORT_BROKEN and others */
export function* keptPages(report: Pick<KeptReport, 'path'>): Generator<DamagedPage> {
  const path = pagesBeside(report.path)
  if (existsSync(path)) for (const line of linesOfReport({ path })) yield JSON.parse(line) as DamagedPage
}

const pagesBeside = (path: string): string => path.replace(/\.json\.zst$/, '.pages.zst')

/** What root makes belongs to the owner of the ledger's folder, who could not read it otherwise. */
function giveAway(path: string, ledgerDir: string): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    giveToFolderOwner(descriptor, ledgerDir)
  } finally {
    closeSync(descriptor)
  }
}

function rotate(reports: readonly KeptReport[]): void {
  let bytes = 0
  const beyond = reports.filter((report, i) => i >= reportsMax || ((bytes += report.bytes) > bytesMax && i > 0))
  const newestDamaged = reports.find(({ heading }) => isHurt(heading))
  for (const report of beyond.filter((one) => one !== newestDamaged)) {
    remove(pagesBeside(report.path))
    remove(report.path)
  }
}

const hurt: ReadonlySet<number> = new Set([exitCodes.damaged, exitCodes.maybePaused])
const isHurt = ({ exitCode }: ReportHeading): boolean => hurt.has(exitCode)

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!(isSystemError(error) && nameOfError(error) === 'ENOENT'))
      // Another run deleted it.
      throw systemFailure(error, { doing: 'delete the old report', path })
  }
}

/**
 * The reports of a service, the newest first. A run at a time in the future, because a clock was wrong, counts as old.
 * A file whose heading cannot be read is left out, and left alone.
 * @throws {Failure} NO_PERMISSION, READ_FAILED and others if the folder cannot be read
 */
export function keptReports(ledgerDir: string, service: string): readonly KeptReport[] {
  const folder = folderIn(ledgerDir)
  const reports = namesIn(folder)
    .filter((name) => named.test(name))
    .toSorted()
    .toReversed()
    .flatMap((name) => {
      const report = reportIn(folder, name)
      return report?.heading.service === service && name === `${report.heading.run}.json.zst` ? [report] : []
    })
  const now = Date.now()
  const isAhead = ({ heading }: KeptReport): boolean => ageOf(timeOfRunId(heading.run), now) === null
  return [...reports.filter((one) => !isAhead(one)), ...reports.filter(isAhead)]
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (isSystemError(error) && nameOfError(error) === 'ENOENT') return []
    throw systemFailure(error, { doing: 'list the kept reports in', path: folder })
  }
}

function reportIn(folder: string, name: string): KeptReport | null {
  const path = join(folder, name)
  try {
    return { heading: readHeading(path), path, bytes: lstatSync(path).size }
  } catch (error) {
    if (error instanceof Failure || isSystemError(error)) return null
    throw error
  }
}

/**
 * @param run null: the newest
 * @param document what the newest one must be; null: anything
 * @throws {Failure} RUN_UNKNOWN, REPORT_BROKEN
 */
export function findReport(
  ledgerDir: string,
  service: string,
  run: string | null,
  document: string | null = null,
): KeptReport {
  const reports = keptReports(ledgerDir, service)
  const found = reports.find(({ heading }) =>
    run === null ? document === null || heading.document === document : heading.run === run,
  )
  if (found !== undefined) return found
  if (run !== null) requireNoBrokenReport(join(folderIn(ledgerDir), `${run}.json.zst`))
  throw new Failure(
    'RUN_UNKNOWN',
    run === null
      ? `no run of ${service} has a report in ${folderIn(ledgerDir)}`
      : `no report of run ${JSON.stringify(run)} of ${service} is in ${folderIn(ledgerDir)}`,
    reports.length === 0 ? {} : { hint: `the newest is of run ${reports[0]?.heading.run}` },
  )
}

/**
 * The reports of a run, or of all runs of its incident, the newest first.
 * @param named a run or an incident; null: the newest run
 * @throws {Failure} RUN_UNKNOWN, REPORT_BROKEN
 */
export function findReports(
  ledgerDir: string,
  service: string,
  named: string | null,
): readonly [KeptReport, ...KeptReport[]] {
  const reports = keptReports(ledgerDir, service)
  const ofIncident = (incident: string): readonly KeptReport[] =>
    reports.filter(({ heading }) => heading.incident === incident)
  const [newest, ...others] = named === null ? [] : ofIncident(named)
  if (newest !== undefined) return [newest, ...others]
  const report = findReport(ledgerDir, service, named)
  const { incident } = report.heading
  return [report, ...(incident === null ? [] : ofIncident(incident).filter(({ path }) => path !== report.path))]
}

/** A report whose heading is damaged is in no list. @throws {Failure} REPORT_BROKEN */
function requireNoBrokenReport(path: string): void {
  if (!named.test(basename(path))) return
  try {
    readHeading(path)
  } catch (error) {
    if (!(isSystemError(error) && nameOfError(error) === 'ENOENT')) throw error
  }
}

/** @throws {Failure} REPORT_BROKEN, READ_FAILED and others */
export function* linesOfReport({ path }: Pick<KeptReport, 'path'>): Generator<string> {
  try {
    yield* readReportLines(path)
  } catch (error) {
    throw systemFailure(error, { doing: 'read the kept report', path })
  }
}
