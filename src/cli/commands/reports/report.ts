import type { Invocation } from '../../invocation.ts'
import { namedFile, withReport } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'
import type { KeptReportOptions } from '../../report-run/print-kept-report.ts'

export function addReport(invocation: Invocation): void {
  withReport(
    invocation
      .add('report', textOrDocument)
      .description('print the report of an earlier run again; no tenant is touched'),
  )
    .argument('[run]', 'id of the run, as reports and `history` name it (default: the newest)')
    .option('--html', 'print one page for a browser, which needs no network')
    .option('--output <file>', 'write to this file instead of stdout; a new file has mode 0600', namedFile)
    .addHelpText(
      'after',
      `
Each run against the service keeps its report beside the ledger: the newest
hundred, and always the newest with damage. If a newer run has no report,
stderr says so. --output refuses a <file> in a folder of tenants.roots.

Examples:
  holdfast report                      the newest run with a report
  holdfast report RUN --verbose        an earlier one, with every result
  holdfast report --json               for a program
  holdfast report --html --output run.html

Exit codes: 0 printed, 1 failed, 64 no such report, 70 bug, 78 configuration`,
    )
    .action((run: string | undefined, options: KeptReportOptions) =>
      invocation.perform(async () => {
        const { printKeptReport } = await import('../../report-run/print-kept-report.ts') // Few commands need it.
        return printKeptReport(run ?? null, options, invocation.terminal)
      }),
    )
}
