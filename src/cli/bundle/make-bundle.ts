/** Collects the evidence of a run, or of all runs of an incident, and writes it into one archive (I5.3). */
import { resolve } from 'node:path'
import { wayOf } from '../../config/service-way.ts'
import type { Settings } from '../../config/settings.ts'
import { createFile } from '../../host/files/replace-file.ts'
import { answerMax } from '../../ledger/protocol.ts'
import { findReports, keptPages, type KeptReport } from '../../ledger/reports/kept-reports.ts'
import { exitCodes, type ExitCode } from '../../model/exit-code.ts'
import { Failure } from '../../model/failure.ts'
import { bundleReadme, type BundleContents } from '../../report/bundle/bundle-readme.ts'
import { bundleDocument, bundleText } from '../../report/bundle/bundle-text.ts'
import { count } from '../../text/count.ts'
import type { CommonOptions } from '../options.ts'
import { ledgerToRead, settingsOfSchedule } from '../read-ledger.ts'
import { openKeptReport } from '../report-run/kept-document.ts'
import { describeNewerRun } from '../report-run/newer-run.ts'
import { runPage } from '../report-run/run-page.ts'
import { requireOutsideRoots } from '../status-file.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { writeArchive } from './archive.ts'
import { longFile, textFile, type BundleFile } from './bundle-file.ts'
import { machineFiles } from './machine-files.ts'
import { pageFiles } from './page-files.ts'

export interface BundleOptions extends CommonOptions {
  readonly output?: string
  readonly withContents?: boolean
}

/** @param named a run or an incident; null: the newest run */
export async function makeBundle(named: string | null, options: BundleOptions, terminal: Terminal): Promise<ExitCode> {
  const { settings } = await settingsOfSchedule(options.config ?? null, terminal)
  const reports = findReports(settings.ledger.dir, settings.service.name, named)
  const [newest] = reports
  const { run, incident } = newest.heading
  const path = resolve(options.output ?? `holdfast-bundle-${run}.tar.gz`)
  await requireOutsideRoots(path, settings.tenants.roots)
  const contents = options.withContents ?? false
  const newer = named === null ? await describeNewerRun(settings, newest) : null
  if (newer !== null) terminal.say(`holdfast: ${newer}`)
  const collected = await collect(reports, settings, contents, terminal)
  const { files } = collected
  const missing = [...(newer === null ? [] : [`A newer run: ${newer}.`]), ...collected.missing]
  const about: BundleContents = {
    run,
    incident,
    service: settings.service.name,
    version: terminal.version,
    madeAt: new Date().toISOString(),
    contents,
    files: files.map(({ name, bytes, what }) => ({ name, bytes, what })),
    missing,
  }
  const readme = textFile('README.txt', 'What each file is, and what is missing.', bundleReadme(about))
  await createFile(path, (descriptor) => writeArchive(descriptor, `holdfast-bundle-${run}`, [readme, ...files]))
  const view = {
    ...about,
    files: [{ name: readme.name, bytes: readme.bytes, what: readme.what }, ...about.files],
    path,
  }
  if (options.json) await terminal.out(bundleDocument(view))
  else if (!options.quiet) await terminal.print(bundleText(view, terminal))
  return exitCodes.sound
}

interface CollectedFiles {
  readonly files: readonly BundleFile[]
  readonly missing: readonly string[]
}

/** @param reports those of the incident, the newest first */
async function collect(
  reports: readonly [KeptReport, ...KeptReport[]],
  settings: Settings,
  contents: boolean,
  terminal: Terminal,
): Promise<CollectedFiles> {
  const [newest, ...earlier] = reports
  const missing: string[] = []
  const lines = await ledgerLines(reports, settings, missing)
  const pages = pagesOf(reports, contents, missing)
  const tool = { holdfast: terminal.version, sqlite: openKeptReport(newest).sqlite }
  const machine = await machineFiles(settings, tool, terminal.interrupt.signal)
  return {
    files: [
      ...(await reportFiles(newest, settings, terminal)),
      ...earlier.map((report) => reportFile(report, `runs/${report.heading.run}.json`)),
      ...lines,
      ...machine.files,
      ...pages,
    ],
    missing: [...missing, ...machine.missing],
  }
}

async function reportFiles(kept: KeptReport, settings: Settings, terminal: Terminal): Promise<readonly BundleFile[]> {
  const json = reportFile(kept, 'report.json')
  const { report } = openKeptReport(kept)
  if (report === null) return [json] // Remedies have no page.
  const page = [...(await runPage(report, settings, terminal.commandLine.config))]
  return [longFile('report.html', 'The report as a page for a browser; it needs no network.', () => page), json]
}

function reportFile(kept: KeptReport, name: string): BundleFile {
  const { mode, document, startedAt } = kept.heading
  const what = `The report of the ${mode} of ${startedAt.slice(0, 19).replace('T', ' ')} UTC, as JSON (${document}).`
  return longFile(name, what, openKeptReport(kept).json)
}

async function ledgerLines(
  reports: readonly KeptReport[],
  settings: Settings,
  missing: string[],
): Promise<readonly BundleFile[]> {
  try {
    await using ledger = await ledgerToRead(settings.ledger.dir, wayOf(settings))
    const files: BundleFile[] = []
    for (const { heading } of reports) {
      const { lines, more } = await ledger.runLines(heading.run, answerMax.lines)
      if (more) missing.push(`Older lines of run ${heading.run}: the newest ${count(lines.length, 'line')} are here.`)
      const text = lines.toReversed().map((line) => `${JSON.stringify(line)}\n`)
      files.push(
        textFile(`ledger/${heading.run}.jsonl`, 'What the ledger has of the run: one event a line.', text.join('')),
      )
    }
    return files
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    missing.push(`Lines of the ledger: ${error.code}: ${error.message}`)
    return []
  }
}

function pagesOf(reports: readonly KeptReport[], contents: boolean, missing: string[]): readonly BundleFile[] {
  const pages = reports.flatMap((report) => {
    try {
      return [...keptPages(report)]
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      missing.push(`Damaged pages of run ${report.heading.run}: ${error.code}: ${error.message}`)
      return []
    }
  })
  if (pages.length === 0) missing.push('Damaged pages: no damaged file was read in this run, so none were kept.')
  return pageFiles(pages, contents)
}
