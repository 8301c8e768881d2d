/** What `bundle` prints: where the archive is, what is in it, and what is missing. */
import { count } from '../../text/count.ts'
import { jsonText } from '../../text/json-text.ts'
import { wrapIndented, wrap } from '../../text/layout.ts'
import { renderTable } from '../../text/table.ts'
import { humanBytes } from '../../text/units.ts'
import { legibleName, legibleSentence } from '../text/legible.ts'
import type { BundleContents } from './bundle-readme.ts'

interface BundleView extends BundleContents {
  /** Absolute path of the archive. */
  readonly path: string
}

const pagesListedMax = 5

export const bundleDocument = ({
  run,
  incident,
  service,
  madeAt,
  contents,
  files,
  missing,
  path,
  version,
}: BundleView) =>
  `${jsonText({
    schema: 'holdfast.bundle/1',
    tool: { version },
    path,
    run,
    incident,
    service,
    madeAt,
    contents: contents ? 'shown' : 'masked',
    files,
    missing,
  })}\n`

export function bundleText(
  { path, files, missing, contents }: BundleView,
  options: { readonly width: number; readonly cuts: boolean; readonly color: boolean },
): string {
  const pages = files.filter(({ name }) => name.startsWith('pages/'))
  const listed = files.filter((file) => !pages.includes(file) || pages.indexOf(file) < pagesListedMax)
  const columns = [
    { head: 'FILE', align: 'left' },
    { head: 'SIZE', align: 'right' },
  ] as const
  const rows = listed.map(({ name, bytes }) => [legibleName(name), humanBytes(bytes)])
  return `${[
    `Written: ${legibleName(path)}`,
    '',
    ...renderTable(columns, rows, { ...options, paint: (cell) => cell }),
    ...(files.length > listed.length ? [`and ${count(files.length - listed.length, 'more page')}`] : []),
    ...(missing.length === 0
      ? []
      : ['', 'Missing:', ...missing.flatMap((sentence) => wrapIndented(legibleSentence(sentence), options))]),
    '',
    ...wrap(
      contents
        ? 'The pages have contents of rows: give this archive only to people who may read them.'
        : 'Contents of rows are masked. Names of tenants, paths and keys of rows are in it.',
      options.width,
    ),
  ].join('\n')}\n`
}
