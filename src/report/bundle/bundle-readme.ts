/** README.txt of a bundle: what each of its files is, and what is missing. */
import { wrap } from '../../text/layout.ts'
import { printable, printableSentence } from '../../text/printable.ts'

/** A file of a bundle, as its document lists it. */
interface BundledFile {
  readonly name: string
  readonly bytes: number
  /** One sentence. */
  readonly what: string
}

export interface BundleContents {
  readonly run: string
  readonly incident: string | null
  readonly service: string
  readonly version: string
  readonly madeAt: string
  readonly contents: boolean
  readonly files: readonly BundledFile[]
  /** What could not be had, and why: one sentence each. */
  readonly missing: readonly string[]
}

const width = 100

export function bundleReadme(bundle: BundleContents): string {
  const { run, incident, service, version, madeAt, contents, files, missing } = bundle
  const lines = [
    `Evidence of holdfast ${printable(version)} for study elsewhere`,
    '',
    `service   ${printable(service)}`,
    `run       ${printable(run)}`,
    `incident  ${incident === null ? '-' : printable(incident)}`,
    `made      ${madeAt}`,
    '',
    'Begin with report.html: a browser shows it without a network.',
    '',
    ...files.flatMap(({ name, what }) => [printable(name), ...wrap(what, width - 4).map((line) => `    ${line}`)]),
    '',
    'Not in this bundle:',
    ...[
      contents
        ? 'Nothing: the files in pages/ have contents of rows. Give this bundle only to people who may read them.'
        : 'Contents of rows: they are masked in pages/. `holdfast bundle --with-contents` adds them.',
      'Secrets: tokens, passwords, arguments of commands and paths of URLs are left out of configuration.json.',
      ...missing,
    ].flatMap((sentence) =>
      wrap(printableSentence(sentence), width - 4).map((line, at) => `${at === 0 ? '  - ' : '    '}${line}`),
    ),
    '',
    'Names of tenants, paths and keys of rows are in these files: they identify what is damaged.',
  ]
  return `${lines.join('\n')}\n`
}
