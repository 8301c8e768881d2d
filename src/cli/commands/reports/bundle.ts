import type { BundleOptions } from '../../bundle/make-bundle.ts'
import type { Invocation } from '../../invocation.ts'
import { namedFile, withCommon } from '../../options.ts'
import { textOrDocument } from '../../printing/printer.ts'

export function addBundle(invocation: Invocation): void {
  withCommon(
    invocation
      .add('bundle', textOrDocument)
      .description("put a run's evidence into one archive, to study it elsewhere; no tenant is paused"),
    'holdfast.bundle/1',
  )
    .argument('[run]', 'id of a run, or of an incident with all of its runs (default: the newest run with a report)')
    .option('--output <file>', 'the archive (default: holdfast-bundle-RUN.tar.gz in the current folder)', namedFile)
    .option('--with-contents', 'do not mask contents of rows in damaged pages')
    .addHelpText(
      'after',
      `
The archive has the report as JSON and as a page, lines of the ledger, and
damaged pages with decoded headers. It has versions, mounts, what the service
says of itself, the configuration without secrets, and what the doctor finds.
Its README.txt says what each file is, and what could not be had. It also names
a newer run that ended before it had a report.

The archive has mode 0600. It has names of tenants and keys of rows. Contents of
rows are masked unless you ask for them. Nothing is overwritten, and <file> must
not be in a folder of tenants.roots.

Examples:
  holdfast bundle                          the newest run with a report
  holdfast bundle RUN --output /var/tmp/evidence.tar.gz
  tar -tzf holdfast-bundle-RUN.tar.gz      what is in it

Exit codes: 0 written, 1 failed, 64 no such run, 70 bug, 78 configuration,
  129/130/131/143 ended by a signal`,
    )
    .action((run: string | undefined, options: BundleOptions) =>
      invocation.perform(async () => {
        const { makeBundle } = await import('../../bundle/make-bundle.ts') // Most commands need none of it.
        return makeBundle(run ?? null, options, invocation.terminal)
      }),
    )
}
