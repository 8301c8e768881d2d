/** The text form of Prometheus metrics. */

import { printableInUtf8 } from '../../text/printable.ts'

/** @param samples each with its labels in braces, and its value */
export const metric = (
  name: string,
  type: 'gauge' | 'counter' | 'histogram',
  help: string,
  samples: readonly string[],
): readonly string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
  ...samples.map((sample) => `${name}${sample}`),
]

/** A label value: untrusted text is made printable first, so that only quotes and backslashes need to be escaped. */
export const label = (text: string): string => printableInUtf8(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')
